/**
 * The options that the declarations of the library have, as `deno doc` reads them.
 *
 * @module
 */

import { assert } from "@std/assert";
import { ROOT } from "./with_server.ts";

/** A type, as far as `deno doc --json` is read here. */
interface TsType {
  readonly kind: string;
  // deno-lint-ignore no-explicit-any
  readonly value?: any;
}

interface Parameter {
  readonly kind: string;
  readonly name?: string;
  readonly tsType?: TsType;
  readonly left?: Parameter;
}

interface Method {
  readonly name: string;
  readonly params?: readonly Parameter[];
  readonly functionDef?: { readonly params: readonly Parameter[] };
}

interface Property {
  readonly name: string;
  readonly optional?: boolean;
  readonly tsType: TsType;
  readonly jsDoc?: { readonly tags?: readonly { readonly kind: string; readonly value?: string }[] };
}

interface Declaration {
  readonly kind: string;
  readonly def: {
    readonly tsType?: TsType;
    readonly params?: readonly Parameter[];
    readonly properties?: readonly Property[];
    readonly extends?: readonly TsType[];
    readonly constructors?: readonly { readonly params: readonly Parameter[] }[];
    readonly methods?: readonly Method[];
  };
}

/** An option, at one place. */
export interface Declared {
  readonly required: boolean;
  /** What is written as `@default {…}`, without `_`. */
  readonly defaults: readonly string[];
  /** The types: those that are built in, and the names of others. */
  readonly types: ReadonlySet<string>;
}

/** What is written for a type in the place of its name. */
const WORDS: Readonly<Record<string, string>> = {
  ErrorHook: "function",
  False: "false",
  Readonly: "object",
  SendCommand: "function",
};

/** The options of all functions and classes, by `place: name`. */
export async function declaredOptions(): Promise<ReadonlyMap<string, Declared>> {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const command = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...Object.values<string>(exports)],
    cwd: ROOT,
  });
  const { nodes } = JSON.parse(new TextDecoder().decode((await command.output()).stdout));
  const symbols: { name: string; declarations: Declaration[] }[] = Object.values<{ symbols: [] }>(nodes).flatMap((it) =>
    it.symbols
  );
  const found = new Map<string, Declared>();
  const seen = new Set<string>();

  const declarationOf = (name: string, kind: string) =>
    symbols.find((symbol) => symbol.name === name)?.declarations.find((declaration) => declaration.kind === kind);

  /** The names of the types in a type, but not of those of functions and of parameters. */
  const namesIn = ({ kind, value }: TsType): string[] => {
    if (kind === "typeRef") {
      return /^(?:Readonly|Record)$/.test(value.typeName) ? value.typeParams.flatMap(namesIn) : [value.typeName];
    }
    if (kind === "union") return value.flatMap(namesIn);
    if (kind === "typeOperator") return namesIn(value.tsType);
    return kind === "array" || kind === "parenthesized" ? namesIn(value) : [];
  };

  const typesOf = ({ kind, value }: TsType): string[] => {
    if (kind === "union") return value.flatMap(typesOf);
    if (kind === "typeRef" && /^[A-Z]$/.test(value.typeName)) return []; // a type parameter
    if (kind === "parenthesized") return typesOf(value);
    if (kind === "typeOperator") return typesOf(value.tsType);
    if (kind === "array") return [`${typesOf(value)[0]}[]`];
    if (kind === "literal") return [JSON.stringify(value[value.kind])];
    if (kind === "fnOrConstructor") return ["function"];
    return kind === "typeRef" ? [WORDS[value.typeName] ?? value.typeName] : [value];
  };

  /** Adds the options of an interface, and of those below. */
  const add = (name: string, where: string) => {
    if (seen.has(`${where}: ${name}`)) return;
    seen.add(`${where}: ${name}`);
    const declaration = declarationOf(name, "interface");
    assert(declaration !== undefined, `${where}: ${name} is no interface`);
    const { def } = declaration;
    for (const { value } of def.extends ?? []) add(value.typeName, where);
    for (const { name, optional = false, tsType, jsDoc } of def.properties ?? []) {
      const key = `${where}: ${name}`;
      const tags = (jsDoc?.tags ?? []).filter(({ kind, value }) => kind === "default" && value !== undefined);
      // A reference to another option is given in words, and of `{}` there is only the first half.
      const defaults = tags.map(({ value }) => value!).filter((value) => !value.startsWith("@") && value !== "{");
      const before = found.get(key);
      found.set(key, {
        required: (before?.required ?? true) && !optional,
        defaults: [...new Set([...before?.defaults ?? [], ...defaults.map((value) => value.replaceAll("_", ""))])],
        types: new Set([...before?.types ?? [], ...typesOf(tsType)]),
      });
      for (const below of namesIn(tsType)) {
        const alias = declarationOf(below, "typeAlias")?.def.tsType;
        for (const name of [below, ...alias === undefined ? [] : namesIn(alias)]) {
          if (name.endsWith("Options") || name === "NetworkRule" || name === "Rate") add(name, key.split(": ")[1]!);
        }
      }
    }
  };

  const addParameters = (params: readonly Parameter[], where: string) => {
    for (const { name, tsType } of params.map((param) => param.left ?? param)) {
      for (const type of tsType === undefined ? [] : namesIn(tsType)) {
        if (type === "LimitsOptions") add(type, "limits");
        else if (type.endsWith("Options") || name === "options") add(type, where);
      }
    }
  };

  for (const { name, declarations } of symbols) {
    if (name.endsWith("Like")) continue; // something of others
    for (const { kind, def } of declarations) {
      if (kind === "function") addParameters(def.params!, `${name}()`);
      for (const { params } of def.constructors ?? []) addParameters(params, name);
      for (const method of def.methods ?? []) {
        addParameters(method.params ?? method.functionDef?.params ?? [], `${method.name}()`);
      }
    }
  }
  for (const { name } of symbols) {
    if (!name.endsWith("Options")) continue;
    assert([...seen].some((it) => it.endsWith(`: ${name}`)), `${name} is an option of nothing`);
  }
  return found;
}
