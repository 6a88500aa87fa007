/**
 * The pending stage of connections that may wait as long as it takes.
 *
 * @module
 */

import { PendingStage } from "./pending_stage.ts";

/** A stage in which connections wait for room without a deadline: the one in which their clients are found, or a new one. */
export function patientStage<C>(finding: PendingStage<C> | undefined): PendingStage<C> {
  const stage = finding ?? new PendingStage<C>({ max: Number.MAX_SAFE_INTEGER });
  stage.patient = true;
  return stage;
}
