import type { Operation, Resource } from '../resource.ts';
import type { Method } from './privileges.ts';

/** HEAD is GET without its body; what else there is is written in the resource. */
export function effectiveMethod(method: string): string {
  return method === 'HEAD' ? 'GET' : method;
}

/**
 * OPTIONS is none: DSP0266 leaves it to the service, `Allow` is on every answer anyway, and a browser of
 * another origin is to get no leave from a preflight.
 */
export function operationOf({ operations }: Resource, method: string): Operation | undefined {
  const name = effectiveMethod(method);
  return isMethodOf(operations, name) ? operations[name] : undefined;
}

export function allowedMethods({ operations }: Resource): readonly string[] {
  const methods = Object.keys(operations);
  return methods.includes('GET') ? [...methods, 'HEAD'].sort() : methods.sort();
}

function isMethodOf(operations: Resource['operations'], name: string): name is Method {
  return Object.hasOwn(operations, name);
}
