import type { InterfaceSpec } from '../server/interface.ts';

export const gnoiName = 'xyz.openbmc_project.Certs.Gnoi';
export const gnoiRoot = '/xyz/openbmc_project/certs/gnoi';

export const gnoiInterface = {
  name: 'xyz.openbmc_project.Certs.Extension.Gnoi',
  about:
    `Of the gNOI service: ${gnoiName}, ${gnoiRoot}. Its callers are root and its own user.\n\n` +
    '`Address` and `Port` are where it listens. `ClientAuthentication` is what it asks of the certificates of clients (`none`, ' +
    '`request`, `request-and-verify`, `require`, `require-and-verify`), and `Cause` why: `configuration`, `bundle` where ' +
    'gnoi-ca-bundle has a CA, and `no bundle` where it has none. `Certificate` is the id that the service is bound to, empty ' +
    'where it shows a certificate of its own, and `Authorities` are the subjects of gnoi-ca-bundle, which verifies clients. ' +
    '`Rotations` are the ids of the certificates on trial, with the time at which each is undone unless it is finalized, in ' +
    'seconds since 1970.\n\n' +
    '`Extend` has that time of the id be so many seconds from now.',
  methods: {
    Extend: { in: { Id: 's', Seconds: 'u' }, out: {}, privileged: true },
  },
  properties: {
    Address: 's',
    Port: 'q',
    ClientAuthentication: 's',
    Cause: 's',
    Certificate: 's',
    Authorities: 'as',
    Rotations: 'a(st)',
  },
  constant: ['Address', 'Port'],
} as const satisfies InterfaceSpec;

/** How the service stands. */
export interface GnoiStatus {
  readonly address: string;
  readonly port: number;
  readonly clientAuthentication: string;
  readonly cause: string;
  /** The id that the service is bound to; empty where it shows a certificate of its own. */
  readonly certificate: string;
  /** Subjects of the CAs that verify clients. */
  readonly authorities: readonly string[];
  readonly rotations: readonly RotationOnTrial[];
}

export interface RotationOnTrial {
  readonly id: string;
  /** When it is undone unless it is finalized. */
  readonly deadline: Date;
}
