import type { InterfaceSpec } from '../server/interface.ts';
import {
  csrCreateInterface,
  deleteAllInterface,
  deleteInterface,
  installAllInterface,
  installInterface,
  replaceAllInterface,
  replaceInterface,
} from './certs-interfaces.ts';
import { extensionInterfaces } from './extension-interfaces.ts';

const all: readonly InterfaceSpec[] = [
  installInterface,
  installAllInterface,
  replaceInterface,
  replaceAllInterface,
  deleteInterface,
  deleteAllInterface,
  csrCreateInterface,
  ...extensionInterfaces,
];

/** The methods of endpoints and certificates that change something, without their interfaces: some have two. */
export const changingMethods: readonly string[] = [
  ...new Set(
    all.flatMap(({ methods }) =>
      Object.entries(methods)
        .filter(([, { privileged, reads }]) => privileged && reads !== true)
        .map(([name]) => name),
    ),
  ),
];
