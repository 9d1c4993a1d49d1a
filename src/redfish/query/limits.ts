import type { Configuration } from '../../platform/configuration.ts';

/** How much a query may ask for. */
export type QueryLimits = Pick<
  Configuration['redfish']['limits'],
  'expandLevels' | 'expandedResources' | 'filterCharacters' | 'filterDepth' | 'selectedMembers'
>;
