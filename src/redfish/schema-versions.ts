/** Versions of the DMTF schemas (DSP8010 2025.3) that our resources follow; collections have none. */
export const schemaVersions = {
  AccountService: 'v1_18_1',
  ActionInfo: 'v1_6_0',
  Certificate: 'v1_11_0',
  CertificateCollection: '',
  CertificateLocations: 'v1_0_4',
  CertificateService: 'v1_2_2',
  Event: 'v1_13_0',
  EventDestination: 'v1_17_0',
  EventDestinationCollection: '',
  EventService: 'v1_12_0',
  JsonSchemaFile: 'v1_1_5',
  JsonSchemaFileCollection: '',
  Manager: 'v1_25_0',
  ManagerAccount: 'v1_14_1',
  ManagerAccountCollection: '',
  ManagerCollection: '',
  ManagerNetworkProtocol: 'v1_13_0',
  Message: 'v1_3_0',
  MessageRegistry: 'v1_8_0',
  MessageRegistryFile: 'v1_1_5',
  MessageRegistryFileCollection: '',
  Role: 'v1_3_3',
  RoleCollection: '',
  SecurityPolicy: 'v1_0_3',
  ServiceRoot: 'v1_21_0',
  Session: 'v1_8_0',
  SessionCollection: '',
  SessionService: 'v1_2_0',
  Task: 'v1_7_4',
  TaskCollection: '',
  TaskService: 'v1_3_0',
} as const satisfies Record<string, string>;

export type SchemaName = keyof typeof schemaVersions;

/** The value of `@odata.type` of a resource, such as `#Role.v1_3_3.Role`. */
export function typeOf(name: SchemaName): string {
  return `#${[name, schemaVersions[name], name].filter((part) => part !== '').join('.')}`;
}

/** Where DMTF publishes the JSON Schema that an `@odata.type` names. */
export function schemaUri(type: string): string {
  const [name = '', version = ''] = type.slice(1).split('.');
  const file = version.startsWith('v') ? `${name}.${version}` : name;
  return `https://redfish.dmtf.org/schemas/v1/${file}.json`;
}
