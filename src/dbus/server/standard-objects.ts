import { machineId } from '../../platform/machine-id.ts';
import { DBusProtocolError } from './error-names.ts';
import { type ServedInterface, serve } from './interface.ts';
import { type ObjectTree, readAll } from './object-tree.ts';
import {
  introspectableInterface,
  objectManagerInterface,
  peerInterface,
  propertiesInterface,
} from './standard-interfaces.ts';

/** What serves the standard interfaces for one path of the tree, with the errors that sd-bus gives. */
export function standardInterfaces(tree: ObjectTree, path: string): readonly ServedInterface[] {
  const standard = [
    serve(peerInterface, {
      methods: { Ping: () => undefined, GetMachineId: requireMachineId },
    }),
    serve(introspectableInterface, {
      methods: { Introspect: () => tree.introspect(path) },
    }),
  ];
  if (tree.has(path)) standard.push(propertiesOf(tree, path));
  if (path === tree.root) {
    standard.push(
      serve(objectManagerInterface, {
        methods: { GetManagedObjects: () => tree.describeAll() },
      }),
    );
  }
  return standard;
}

function propertiesOf(tree: ObjectTree, path: string): ServedInterface {
  const find = (name: string) => tree.at(path).find(({ spec }) => spec.name === name);
  const owner = (interfaceName: string, property: string): ServedInterface => {
    const served = find(interfaceName);
    if (served && Object.hasOwn(served.spec.properties, property)) return served;
    throw new DBusProtocolError('UnknownProperty', 'Unknown property or interface.');
  };
  return serve(propertiesInterface, {
    methods: {
      Get: ({ interface_name, property_name }) =>
        owner(interface_name, property_name).read(property_name),
      GetAll: ({ interface_name }) => {
        const served = find(interface_name);
        if (served) return readAll(served);
        if (interface_name === '') return Object.assign({}, ...tree.at(path).map(readAll));
        if (isStandard(interface_name)) return {};
        throw new DBusProtocolError('UnknownInterface', `Unknown interface '${interface_name}'.`);
      },
      Set: ({ interface_name, property_name, value }) => {
        const served = owner(interface_name, property_name);
        if (!served.spec.writable?.includes(property_name)) {
          throw new DBusProtocolError(
            'PropertyReadOnly',
            `Property '${property_name}' is not writable.`,
          );
        }
        const expected = served.spec.properties[property_name] ?? '';
        if (value.signature !== expected) {
          throw new DBusProtocolError(
            'InvalidArgs',
            `Incorrect parameters for property '${property_name}', expected '${expected}', got '${value.signature}'.`,
          );
        }
        served.write(property_name, value.value);
        return undefined;
      },
    },
  });
}

function isStandard(name: string): boolean {
  return name.startsWith('org.freedesktop.DBus.');
}

function requireMachineId(): string {
  const id = machineId();
  if (id !== undefined) return id;
  throw new DBusProtocolError('FileNotFound', 'This machine has no machine id.');
}
