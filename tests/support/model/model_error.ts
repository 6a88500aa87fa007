/**
 * The error of a model.
 *
 * @module
 */

/** What is wrong, and how it came to it. */
export class ModelError extends Error {
  override readonly name = "ModelError";
}
