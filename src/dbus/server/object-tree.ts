import { DBusProtocolError } from './error-names.ts';
import type { InterfaceSpec, ServedInterface, TypedValue } from './interface.ts';
import { introspect } from './introspection.ts';
import {
  introspectableInterface,
  objectManagerInterface,
  peerInterface,
  propertiesInterface,
} from './standard-interfaces.ts';

export type Properties = Readonly<Record<string, TypedValue>>;
export type Interfaces = Readonly<Record<string, Properties>>;

/** The interfaces that every object has (sd-bus adds them to each vtable). */
const common: readonly InterfaceSpec[] = [
  peerInterface,
  introspectableInterface,
  propertiesInterface,
];

/** The objects of one bus name below one root, as a plain map of paths. */
export class ObjectTree {
  readonly root: string;
  readonly #objects = new Map<string, readonly ServedInterface[]>();

  constructor(root: string) {
    this.root = root;
  }

  set(path: string, interfaces: readonly ServedInterface[]): void {
    this.#objects.set(path, interfaces);
  }

  delete(path: string): void {
    this.#objects.delete(path);
  }

  has(path: string): boolean {
    return this.#objects.has(path);
  }

  /** @throws DBusProtocolError `UnknownObject`, also for a path that only leads to objects */
  at(path: string): readonly ServedInterface[] {
    const found = this.#objects.get(path);
    if (!found) throw new DBusProtocolError('UnknownObject', `Unknown object '${path}'.`);
    return found;
  }

  /** True for objects and for the paths above them, which can be introspected too. */
  leadsTo(path: string): boolean {
    const prefix = path === '/' ? '/' : `${path}/`;
    return (
      this.#objects.has(path) || [...this.#objects.keys()].some((one) => one.startsWith(prefix))
    );
  }

  introspect(path: string): string {
    const prefix = path === '/' ? '/' : `${path}/`;
    const below = [...this.#objects.keys()].filter((one) => one.startsWith(prefix));
    const children = new Set(below.map((one) => one.slice(prefix.length).split('/')[0] ?? ''));
    return introspect(this.#specs(path), [...children]);
  }

  /** Every interface of an object with its properties, as ObjectManager shows them. */
  describe(path: string): Interfaces {
    const standard = this.#standard(path).map(({ name }) => [name, {}] as const);
    const own = this.at(path).map((served) => [served.spec.name, readAll(served)] as const);
    return Object.fromEntries([...standard, ...own]);
  }

  /** All objects below the root; the root itself is the ObjectManager and not managed. */
  describeAll(): Readonly<Record<string, Interfaces>> {
    const paths = [...this.#objects.keys()].filter((path) => path !== this.root);
    return Object.fromEntries(paths.map((path) => [path, this.describe(path)]));
  }

  interfaceNames(path: string): string[] {
    return [...this.#standard(path), ...this.at(path).map(({ spec }) => spec)].map(
      ({ name }) => name,
    );
  }

  #specs(path: string): InterfaceSpec[] {
    const own = this.#objects.get(path)?.map(({ spec }) => spec) ?? [];
    return [...this.#standard(path), ...own];
  }

  #standard(path: string): readonly InterfaceSpec[] {
    if (path === this.root) return [...common, objectManagerInterface];
    return this.#objects.has(path) ? common : [peerInterface, introspectableInterface];
  }
}

export function readAll(served: ServedInterface): Properties {
  const names = Object.keys(served.spec.properties);
  return Object.fromEntries(names.map((name) => [name, served.read(name)]));
}
