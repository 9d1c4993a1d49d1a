type Paths = readonly (readonly string[])[];

/**
 * Leaves of a resource what `$select` names. Annotations of the object itself and of what is selected
 * stay, as DSP0266 demands for `@odata.id`, `@odata.type`, `@odata.context` and `@odata.etag`; of arrays
 * the rest of a path applies to each element.
 */
export function selectMembers(resource: object, paths: Paths): object {
  const kept = Object.entries(resource).flatMap(([name, value]) => {
    if (name.startsWith('@')) return [[name, value] as const];
    const base = name.split('@')[0] ?? name;
    const here = paths.filter(([first]) => first === name || first === base);
    if (here.length === 0) return [];
    const below = here.map((path) => path.slice(1));
    const isWhole = base !== name || below.some((path) => path.length === 0);
    return [[name, isWhole ? value : selectBelow(value, below)] as const];
  });
  return Object.fromEntries(kept);
}

function selectBelow(value: unknown, paths: Paths): unknown {
  if (Array.isArray(value)) return value.map((element) => selectBelow(element, paths));
  return typeof value === 'object' && value !== null ? selectMembers(value, paths) : value;
}
