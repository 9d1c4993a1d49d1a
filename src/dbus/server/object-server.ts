import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { Bus, Call } from '../transport/bus.ts';
import type { AuthorizeCaller } from './caller-policy.ts';
import { DBusProtocolError, toErrorReply } from './error-names.ts';
import { type InterfaceSpec, type ServedInterface, signatureOf } from './interface.ts';
import { ObjectTree } from './object-tree.ts';
import {
  introspectableInterface,
  objectManagerInterface,
  peerInterface,
  propertiesInterface,
} from './standard-interfaces.ts';
import { standardInterfaces } from './standard-objects.ts';

/** A method of a call that only some callers may make. */
export interface PrivilegedMethod {
  /** With its interface. */
  readonly name: string;
  readonly changes: boolean;
}

export type FollowCall = <T>(
  call: Call,
  method: PrivilegedMethod,
  work: () => Promise<T>,
) => Promise<T>;

export interface ObjectServerOptions {
  readonly bus: Bus;
  /** The object that is the ObjectManager of all others. */
  readonly root: string;
  /** Asked who the sender of a call of a privileged method is, and whether it may be at the path. */
  readonly authorize: (sender: string, path: string) => ReturnType<AuthorizeCaller>;
  /** Does the work of a call of a privileged method. */
  readonly follow: FollowCall;
  /** Told of errors that are bugs; never of what a caller sent. */
  readonly report: (call: Call, error: unknown) => void;
}

/** Errors that are bugs, as lines of the log. */
export function reportTo(log: Log): ObjectServerOptions['report'] {
  return ({ interface: called, member, sender }, error) =>
    log.error('method failed', { method: `${called}.${member}`, sender, reason: reasonOf(error) });
}

/** Serves a tree of objects on one connection, with the signals of ObjectManager and Properties. */
export class ObjectServer {
  readonly #options: ObjectServerOptions;
  readonly #tree: ObjectTree;
  readonly #inHand = new Set<Promise<void>>();
  #isLeaving = false;

  constructor(options: ObjectServerOptions) {
    this.#options = options;
    this.#tree = new ObjectTree(options.root);
    options.bus.handleCalls((call) => {
      // A reply that cannot be sent, to a sender that has no name, must not end the process
      const handled = this.#handle(call).catch((error: unknown) => options.report(call, error));
      this.#inHand.add(handled);
      void handled.then(() => this.#inHand.delete(handled));
      return handled;
    });
  }

  /** Refuses further calls. @returns when those in hand are answered */
  async drain(): Promise<void> {
    this.#isLeaving = true;
    await Promise.all(this.#inHand);
  }

  /**
   * Publishes an object; below the root it is announced by InterfacesAdded.
   * @param first names of the interfaces whose properties are announced one by one before that
   */
  add(path: string, interfaces: readonly ServedInterface[], first: readonly string[] = []): void {
    this.#tree.set(path, interfaces);
    if (path === this.#options.root) return;
    for (const { spec } of interfaces) {
      if (first.includes(spec.name)) this.announce(path, spec.name, Object.keys(spec.properties));
    }
    this.#signalManager('InterfacesAdded', [path, this.#tree.describe(path)]);
  }

  remove(path: string): void {
    if (!this.#tree.has(path)) return;
    const names = this.#tree.interfaceNames(path);
    this.#tree.delete(path);
    this.#signalManager('InterfacesRemoved', [path, names]);
  }

  /** Puts a new state behind an object that stays. */
  update(path: string, interfaces: readonly ServedInterface[]): void {
    this.#tree.set(path, interfaces);
  }

  /** Announces new values, one signal for each property as upstream does. */
  announce(path: string, interfaceName: string, properties: readonly string[]): void {
    if (!this.#tree.has(path)) return;
    const served = this.#tree.at(path).find(({ spec }) => spec.name === interfaceName);
    for (const property of served ? properties : []) {
      const values = { [property]: served?.read(property) };
      this.#options.bus.signal(
        path,
        propertiesInterface.name,
        'PropertiesChanged',
        signatureOf(propertiesInterface.signals.PropertiesChanged),
        [interfaceName, values, []],
      );
    }
  }

  /** Emits a signal of an interface's own. */
  emit(path: string, spec: InterfaceSpec, member: string, body: readonly unknown[]): void {
    const signature = signatureOf(spec.signals?.[member] ?? {});
    this.#options.bus.signal(path, spec.name, member, signature, body);
  }

  async #handle(call: Call): Promise<void> {
    try {
      if (this.#isLeaving)
        throw new CertError('unavailable', 'the endpoint is not served any more');
      const { served, method } = this.#resolve(call);
      const spec = served.spec.methods[method];
      const asks = spec?.privileged || this.#setsProperty(call, served, method);
      const { authorize, follow } = this.#options;
      const run = async () => {
        const user = asks ? await authorize(call.sender, call.path) : undefined;
        return served.call(method, call.body, { name: call.sender, user });
      };
      const about = { name: `${served.spec.name}.${method}`, changes: spec?.reads !== true };
      const result = await (asks ? follow(call, about, run) : run());
      call.answer(signatureOf(spec?.out ?? {}), result);
    } catch (error) {
      const reply = toErrorReply(error);
      if (reply.text.startsWith('internal:')) this.#options.report(call, error);
      call.fail(reply);
    }
  }

  /** Finds the method and checks the arguments, with the errors of sd-bus for each way to fail. */
  #resolve(call: Call): { served: ServedInterface; method: string } {
    const tree = this.#tree;
    // sd-bus answers for the peer on every path, also where nothing is
    if (call.interface !== peerInterface.name && !isPathOf(tree, call)) tree.at(call.path);
    const own = tree.has(call.path) ? tree.at(call.path) : [];
    const served = [...standardInterfaces(tree, call.path), ...own].find(
      ({ spec }) =>
        (call.interface === '' || call.interface === spec.name) &&
        Object.hasOwn(spec.methods, call.member),
    );
    const spec = served?.spec.methods[call.member];
    if (!served || !spec) {
      throw new DBusProtocolError(
        'UnknownMethod',
        `Unknown method ${call.member} or interface ${call.interface}.`,
      );
    }
    const expected = signatureOf(spec.in);
    // A body that ends before its signature does is read as absent values
    if (call.signature !== expected || call.body.includes(undefined)) {
      throw new DBusProtocolError(
        'InvalidArgs',
        `Invalid arguments '${call.signature}' to call ${served.spec.name}.${call.member}(), expecting '${expected}'.`,
      );
    }
    return { served, method: call.member };
  }

  /** The policy for callers decides who may set a property, too; the rest is refused by what is read-only. */
  #setsProperty({ path, body }: Call, { spec }: ServedInterface, method: string): boolean {
    if (spec.name !== propertiesInterface.name || method !== 'Set') return false;
    const target = this.#tree.at(path).find(({ spec }) => spec.name === body[0]);
    return target?.spec.writable?.includes(String(body[1])) ?? false;
  }

  #signalManager(member: 'InterfacesAdded' | 'InterfacesRemoved', body: readonly unknown[]): void {
    const { bus, root } = this.#options;
    const signature = signatureOf(objectManagerInterface.signals[member]);
    bus.signal(root, objectManagerInterface.name, member, signature, body);
  }
}

/** A path above the objects can be introspected, and is no object for anything else. */
function isPathOf(tree: ObjectTree, { path, interface: name, member }: Call): boolean {
  const introspects = name === introspectableInterface.name || member === 'Introspect';
  return tree.has(path) || (introspects && tree.leadsTo(path));
}
