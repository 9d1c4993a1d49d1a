import type { InterfaceSpec } from './interface.ts';

/** The interfaces of the D-Bus Specification, "Standard Interfaces". */

export const peerInterface = {
  name: 'org.freedesktop.DBus.Peer',
  methods: {
    Ping: { in: {}, out: {}, privileged: false },
    GetMachineId: { in: {}, out: { machine_uuid: 's' }, privileged: false },
  },
  properties: {},
} as const satisfies InterfaceSpec;

export const introspectableInterface = {
  name: 'org.freedesktop.DBus.Introspectable',
  methods: { Introspect: { in: {}, out: { xml_data: 's' }, privileged: false } },
  properties: {},
} as const satisfies InterfaceSpec;

export const propertiesInterface = {
  name: 'org.freedesktop.DBus.Properties',
  methods: {
    Get: {
      in: { interface_name: 's', property_name: 's' },
      out: { value: 'v' },
      privileged: false,
    },
    GetAll: { in: { interface_name: 's' }, out: { props: 'a{sv}' }, privileged: false },
    Set: {
      in: { interface_name: 's', property_name: 's', value: 'v' },
      out: {},
      privileged: false,
    },
  },
  properties: {},
  signals: {
    PropertiesChanged: {
      interface_name: 's',
      changed_properties: 'a{sv}',
      invalidated_properties: 'as',
    },
  },
} as const satisfies InterfaceSpec;

export const objectManagerInterface = {
  name: 'org.freedesktop.DBus.ObjectManager',
  methods: {
    GetManagedObjects: {
      in: {},
      out: { object_paths_interfaces_and_properties: 'a{oa{sa{sv}}}' },
      privileged: false,
    },
  },
  properties: {},
  signals: {
    InterfacesAdded: { object_path: 'o', interfaces_and_properties: 'a{sa{sv}}' },
    InterfacesRemoved: { object_path: 'o', interfaces: 'as' },
  },
} as const satisfies InterfaceSpec;
