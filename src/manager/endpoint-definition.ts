export const endpointTypes = ['server', 'client', 'authority'] as const;
export type EndpointType = (typeof endpointTypes)[number];

/** Whom to tell after a change: a systemd unit, or the process whose id is in a file. */
export type ReloadTarget = { readonly unit: string } | { readonly pidFile: string };

/** A place where certificates live, as the configuration describes it. */
export interface EndpointDefinition {
  readonly type: EndpointType;
  readonly name: string;
  /** It came at run time. One of the configuration may have the same type and name. */
  readonly isOfRunTime?: true;
  /** A file (server, client) or a directory (authority). */
  readonly path: string;
  readonly reload: readonly ReloadTarget[];
  /** Id of the group that may read what the endpoint writes. */
  readonly group?: number;
}
