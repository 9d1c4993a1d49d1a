import type { Configuration } from '../../platform/configuration.ts';

/** Configuration `redfish.events`. */
export type EventSettings = Configuration['redfish']['events'];
