/** An edge that the stack can start beside the Redfish service. */
export interface Edge {
  /** The program, by the name of its bundle. */
  readonly program: string;
  /** Its member of the configuration. */
  readonly member: string;
  /** Whether it has an address and a port. */
  readonly listens: boolean;
  /** What the stack has otherwise than a device. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Where the configuration names none. */
  readonly endpoints: readonly object[];
  /** That read endpoints of run time; beside those that the configuration names. */
  readonly services: readonly { readonly name: string }[];
}

/** One that was chosen. */
export interface ChosenEdge extends Edge {
  readonly name: string;
  /** What was asked for; absent for that of the configuration. */
  readonly port: number | undefined;
}

/** By the names that `--with` takes. */
export const edges: Readonly<Record<string, Edge>> = {
  cmp: {
    program: 'cmp-agent',
    member: 'enrolment',
    listens: false,
    defaults: {},
    endpoints: [{ type: 'authority', name: 'cmp', path: 'cmp-authority', reload: [] }],
    services: [],
  },
  gnoi: {
    program: 'gnoi-server',
    member: 'gnoi',
    listens: true,
    defaults: { address: '127.0.0.1', streams: 'junos' },
    endpoints: [{ type: 'server', name: 'gnoi', path: 'gnoi/own.pem', reload: [] }],
    services: [{ name: 'gnoi' }],
  },
  bundle: {
    program: 'bundle-updater',
    member: 'trustBundles',
    listens: false,
    defaults: {},
    endpoints: [],
    services: [],
  },
  netconf: {
    program: 'netconf-server',
    member: 'netconf',
    listens: true,
    defaults: { address: '127.0.0.1' },
    endpoints: [],
    services: [{ name: 'netconf' }],
  },
};
