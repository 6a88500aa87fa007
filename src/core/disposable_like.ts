/**
 * What `using` takes.
 *
 * @module
 */

/**
 * What `using` takes: a `Disposable`. Where the types in use lack `Symbol.dispose`, such as those of `lib: ["es2022"]`, it
 * is any object, and the declarations of this library compile all the same.
 */
export type DisposableLike = {
  [S in SymbolConstructor extends { readonly dispose: infer S extends symbol } ? S : never]: () => void;
};

/** The same for `await using`. */
export type AsyncDisposableLike = {
  [S in SymbolConstructor extends { readonly asyncDispose: infer S extends symbol } ? S : never]: () => Promise<void>;
};
