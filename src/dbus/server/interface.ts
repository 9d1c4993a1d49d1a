/** The TypeScript value of each D-Bus signature that our interfaces use. */
interface Values {
  b: boolean;
  y: number;
  q: number;
  u: number;
  t: bigint;
  x: bigint;
  s: string;
  o: string;
  as: string[];
  ao: string[];
  ay: Buffer;
  'a(ss)': [string, string][];
  'a(sts)': [string, bigint, string][];
  'a(st)': [string, bigint][];
  'a(ssstu)': [string, string, string, bigint, number][];
  '(ss)': [string, string];
  '(st)': [string, bigint];
  '(tt)': [bigint, bigint];
  '(sst)': [string, string, bigint];
  '(tstts)': [bigint, string, bigint, bigint, string];
  'a(tstts)': Values['(tstts)'][];
  'a(ssstuuss)': [string, string, string, bigint, number, number, string, string][];
  'a(ssss)': [string, string, string, string][];
  'a(sssb)': [string, string, string, boolean][];
  'a(ussx)': [number, string, string, bigint][];
  'a(xusssss)': [bigint, number, string, string, string, string, string][];
  '(ssssasa(ssss))': [string, string, string, string, string[], Values['a(ssss)']];
  'a(ssbaysss)': [string, string, boolean, Buffer, string, string, string][];
  '(ssbbbs)': [string, string, boolean, boolean, boolean, string];
  'a(ssbbbs)': Values['(ssbbbs)'][];
  '(s(ssbbbs))': [string, Values['(ssbbbs)']];
  'a(tss)': [bigint, string, string][];
  '(ta(ssbbbs)a(tss)a{sv})': [
    bigint,
    Values['a(ssbbbs)'],
    Values['a(tss)'],
    Readonly<Record<string, TypedValue>>,
  ];
  v: TypedValue;
  'a{sv}': Readonly<Record<string, TypedValue>>;
  'a{sa{sv}}': Readonly<Record<string, Readonly<Record<string, TypedValue>>>>;
  'a{oa{sa{sv}}}': Readonly<
    Record<string, Readonly<Record<string, Readonly<Record<string, TypedValue>>>>>
  >;
}

export type Signature = keyof Values;

/** A value with its signature: the content of a D-Bus variant. */
export interface TypedValue {
  readonly signature: string;
  readonly value: unknown;
}

type Arguments = Readonly<Record<string, Signature>>;

export interface MethodSpec {
  /** Names and signatures in the order of the wire. */
  readonly in: Arguments;
  /** At most one result, by its name. */
  readonly out: Arguments;
  /** Only callers whom the policy names may use it. */
  readonly privileged: boolean;
  /** A privileged method that changes nothing. */
  readonly reads?: true;
}

/** One D-Bus interface as data, from which dispatch, introspection and types follow. */
export interface InterfaceSpec {
  readonly name: string;
  /** What it is for, in Markdown, for the documentation of those that are ours. */
  readonly about?: string;
  readonly methods: Readonly<Record<string, MethodSpec>>;
  /** They announce their changes, and are read-only where the two lists below say nothing else. */
  readonly properties: Arguments;
  /** Properties that callers may set. */
  readonly writable?: readonly string[];
  /** Properties that never change during the life of an object. */
  readonly constant?: readonly string[];
  readonly signals?: Readonly<Record<string, Arguments>>;
}

/** Who called a method. */
export interface Caller {
  /** Unique name of the connection. */
  readonly name: string;
  /** Number of the caller's user, for privileged methods; `undefined` when the bus does not know it. */
  readonly user: number | undefined;
}

type Writable<I extends InterfaceSpec> = I extends { readonly writable: readonly (infer P)[] }
  ? P & keyof I['properties']
  : never;

type Inputs<A extends Arguments> = { readonly [K in keyof A]: Values[A[K]] };
/** What a method without a result returns is only waited for. */
type Method<In extends Arguments, Out extends Arguments> = keyof Out extends never
  ? (inputs: Inputs<In>, caller: Caller) => void
  : (inputs: Inputs<In>, caller: Caller) => Result<Out> | Promise<Result<Out>>;
type Result<Out extends Arguments> = Values[Out[keyof Out]];

/** What serves an interface: a function for each method and property, and to set those that can be. */
export type Implementation<I extends InterfaceSpec> = UnlessEmpty<
  'methods',
  { readonly [M in keyof I['methods']]: Method<I['methods'][M]['in'], I['methods'][M]['out']> }
> &
  UnlessEmpty<
    'properties',
    { readonly [P in keyof I['properties']]: () => Values[I['properties'][P]] }
  > & {
    readonly setters?: { readonly [P in Writable<I>]: (value: Values[I['properties'][P]]) => void };
  };

/** A member that is left out where nothing could be in it. */
type UnlessEmpty<Name extends string, T> = keyof T extends never
  ? { readonly [N in Name]?: T }
  : { readonly [N in Name]: T };

/** An interface with what serves it, ready for an object server that knows no types. */
export interface ServedInterface {
  readonly spec: InterfaceSpec;
  call(method: string, values: readonly unknown[], caller: Caller): Promise<readonly unknown[]>;
  read(property: string): TypedValue;
  /** @param value of the property's signature */
  write(property: string, value: unknown): void;
}

export function serve<const I extends InterfaceSpec>(
  spec: I,
  implementation: Implementation<I>,
): ServedInterface {
  // The public signature has checked each function against the spec; dispatch is by name from here
  type Handler = (inputs: Record<string, unknown>, caller: Caller) => unknown;
  const methods = (implementation.methods ?? {}) as Readonly<Record<string, Handler | undefined>>;
  const properties = (implementation.properties ?? {}) as Readonly<
    Record<string, (() => unknown) | undefined>
  >;
  type Setter = (value: unknown) => void;
  const setters = (implementation.setters ?? {}) as Readonly<Record<string, Setter | undefined>>;
  return {
    spec,
    async call(method, values, caller) {
      const { in: names = {}, out = {} } = spec.methods[method] ?? {};
      const inputs = Object.fromEntries(Object.keys(names).map((name, at) => [name, values[at]]));
      const result = await methods[method]?.(inputs, caller);
      return Object.keys(out).length === 0 ? [] : [result];
    },
    read(property) {
      return { signature: spec.properties[property] ?? '', value: properties[property]?.() };
    },
    write(property, value) {
      setters[property]?.(value);
    },
  };
}

/** The signature of a list of arguments as it stands in a message. */
export function signatureOf(names: Arguments): string {
  return Object.values(names).join('');
}
