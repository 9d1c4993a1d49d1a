import type { Configuration } from '../../platform/configuration.ts';
import type { QueryLimits } from '../query/limits.ts';

/** What a request may ask of the application; the server has limits of its own for connections. */
export interface HttpLimits
  extends Pick<
    Configuration['redfish']['limits'],
    'bodyBytes' | 'jsonBytes' | 'changesPerUser' | 'uriBytes' | 'gzipBytes' | 'keptReadBytes'
  > {
  readonly query: QueryLimits;
}
