import type { Gate } from './access.ts';
import type { Bus, Call } from './bus.ts';
import { DBusProtocolError, toErrorReply } from './error-names.ts';
import { type ServedInterface, signatureOf } from './interface.ts';
import { ObjectTree } from './object-tree.ts';
import {
  objectManagerInterface,
  peerInterface,
  propertiesInterface,
} from './standard-interfaces.ts';
import { standardInterfaces } from './standard-objects.ts';

export interface ObjectServerOptions {
  readonly bus: Bus;
  /** The object that is the ObjectManager of all others. */
  readonly root: string;
  readonly gate: Gate;
  /** Told of errors that are bugs, and of refused callers; never of what a caller sent. */
  readonly report: (event: 'failure' | 'refusal', call: Call, error: unknown) => void;
}

/** Serves a tree of objects on one connection, with the signals of ObjectManager and Properties. */
export class ObjectServer {
  readonly #options: ObjectServerOptions;
  readonly #tree: ObjectTree;

  constructor(options: ObjectServerOptions) {
    this.#options = options;
    this.#tree = new ObjectTree(options.root);
    options.bus.handleCalls((call) => void this.#handle(call));
  }

  /** Publishes an object; below the root it is announced by InterfacesAdded. */
  add(path: string, interfaces: readonly ServedInterface[]): void {
    this.#tree.set(path, interfaces);
    if (path === this.#options.root) return;
    // Upstream sets each property of a new object on its own, before it announces the object
    for (const { spec } of interfaces) {
      this.#announce(path, spec.name, Object.keys(spec.properties));
    }
    this.#signalManager('InterfacesAdded', [path, this.#tree.describe(path)]);
  }

  remove(path: string): void {
    if (!this.#tree.has(path)) return;
    const names = this.#tree.interfaceNames(path);
    this.#tree.delete(path);
    this.#signalManager('InterfacesRemoved', [path, names]);
  }

  /** Puts a new state behind an object that stays, and announces which of its properties changed. */
  update(
    path: string,
    interfaces: readonly ServedInterface[],
    interfaceName: string,
    properties: readonly string[],
  ): void {
    this.#tree.set(path, interfaces);
    this.#announce(path, interfaceName, properties);
  }

  async #handle(call: Call): Promise<void> {
    try {
      const { served, method } = this.#resolve(call);
      const spec = served.spec.methods[method];
      if (spec?.privileged) await this.#options.gate(call.sender);
      const result = await served.call(method, call.body, { name: call.sender });
      call.answer(signatureOf(spec?.out ?? {}), result);
    } catch (error) {
      const reply = toErrorReply(error);
      if (reply.text.startsWith('internal:')) this.#options.report('failure', call, error);
      if (reply.name.endsWith('.AccessDenied')) this.#options.report('refusal', call, error);
      call.fail(reply);
    }
  }

  /** Finds the method and checks the arguments, with the errors of sd-bus for each way to fail. */
  #resolve(call: Call): { served: ServedInterface; method: string } {
    const tree = this.#tree;
    // sd-bus answers for the peer on every path, also where nothing is
    if (call.interface !== peerInterface.name && !tree.leadsTo(call.path)) tree.at(call.path);
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
    if (call.signature !== expected) {
      throw new DBusProtocolError(
        'InvalidArgs',
        `Invalid arguments '${call.signature}' to call ${served.spec.name}.${call.member}(), expecting '${expected}'.`,
      );
    }
    return { served, method: call.member };
  }

  /** Announces new values, one signal for each property as upstream does. */
  #announce(path: string, interfaceName: string, properties: readonly string[]): void {
    const served = this.#tree.at(path).find(({ spec }) => spec.name === interfaceName);
    if (!served) return;
    for (const property of properties) {
      const values = { [property]: served.read(property) };
      this.#options.bus.signal(
        path,
        propertiesInterface.name,
        'PropertiesChanged',
        signatureOf(propertiesInterface.signals.PropertiesChanged),
        [interfaceName, values, []],
      );
    }
  }

  #signalManager(member: 'InterfacesAdded' | 'InterfacesRemoved', body: readonly unknown[]): void {
    const { bus, root } = this.#options;
    const signature = signatureOf(objectManagerInterface.signals[member]);
    bus.signal(root, objectManagerInterface.name, member, signature, body);
  }
}
