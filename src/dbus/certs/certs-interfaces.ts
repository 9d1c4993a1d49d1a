import { csrParameterNames, csrSignatures } from '../../manager/csr/parameters.ts';
import type { InterfaceSpec } from '../server/interface.ts';

/**
 * The interfaces of phosphor-dbus-interfaces (`xyz/openbmc_project/Certs`, `Collection`, `Object`) that
 * phosphor-certificate-manager serves.
 */

export const installInterface = {
  name: 'xyz.openbmc_project.Certs.Install',
  methods: { Install: { in: { Path: 's' }, out: { ObjectPath: 's' }, privileged: true } },
  properties: {},
} as const satisfies InterfaceSpec;

export const installAllInterface = {
  name: 'xyz.openbmc_project.Certs.InstallAll',
  methods: { InstallAll: { in: { Path: 's' }, out: { ObjectPath: 'ao' }, privileged: true } },
  properties: {},
} as const satisfies InterfaceSpec;

export const replaceAllInterface = {
  name: 'xyz.openbmc_project.Certs.ReplaceAll',
  methods: { ReplaceAll: { in: { Path: 's' }, out: { ObjectPath: 'ao' }, privileged: true } },
  properties: {},
} as const satisfies InterfaceSpec;

export const deleteAllInterface = {
  name: 'xyz.openbmc_project.Collection.DeleteAll',
  methods: { DeleteAll: { in: {}, out: {}, privileged: true } },
  properties: {},
} as const satisfies InterfaceSpec;

export const csrArguments = csrSignatures(csrParameterNames);

export const csrCreateInterface = {
  name: 'xyz.openbmc_project.Certs.CSR.Create',
  methods: { GenerateCSR: { in: csrArguments, out: { Path: 's' }, privileged: true } },
  properties: {},
} as const satisfies InterfaceSpec;

export const certificateInterface = {
  name: 'xyz.openbmc_project.Certs.Certificate',
  methods: {},
  // In the order in which upstream announces them
  properties: {
    CertificateString: 's',
    Subject: 's',
    Issuer: 's',
    KeyUsage: 'as',
    ValidNotAfter: 't',
    ValidNotBefore: 't',
  },
} as const satisfies InterfaceSpec;

export const replaceInterface = {
  name: 'xyz.openbmc_project.Certs.Replace',
  methods: { Replace: { in: { Path: 's' }, out: {}, privileged: true } },
  properties: {},
} as const satisfies InterfaceSpec;

export const deleteInterface = {
  name: 'xyz.openbmc_project.Object.Delete',
  methods: { Delete: { in: {}, out: {}, privileged: true } },
  properties: {},
} as const satisfies InterfaceSpec;

export const csrInterface = {
  name: 'xyz.openbmc_project.Certs.CSR',
  methods: { CSR: { in: {}, out: { CSR: 's' }, privileged: true, reads: true } },
  properties: {},
} as const satisfies InterfaceSpec;
