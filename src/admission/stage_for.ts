/**
 * The pending stage of limiters that take their time.
 *
 * @module
 */

import type { Admitter } from "../core/admitter.ts";
import { answersAtOnce } from "../core/to_limiter.ts";
import { PendingStage } from "./pending_stage.ts";

/** A stage for the connections of one listener, server or handler. None where the limiter is known to answer at once. */
export function stageFor<C>(limiter: Admitter): PendingStage<C> | undefined {
  return answersAtOnce(limiter) ? undefined : new PendingStage();
}
