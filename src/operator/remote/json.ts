/** The member of a JSON value by its path; `undefined` where there is none. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => {
    const isObject = typeof inner === 'object' && inner !== null;
    return isObject && Object.hasOwn(inner, name) ? Reflect.get(inner, name) : undefined;
  }, value);
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function textsAt(value: unknown, ...path: readonly string[]): readonly string[] {
  return listAt(value, ...path).filter((one) => typeof one === 'string');
}

/** Where a reference leads (DSP0266, "Reference properties"). */
export function linkAt(value: unknown, ...path: readonly string[]): string | undefined {
  return textAt(value, ...path, '@odata.id');
}

export function linksAt(value: unknown, ...path: readonly string[]): readonly string[] {
  return listAt(value, ...path).flatMap((one) => linkAt(one) ?? []);
}

/** Where an action is asked for (DSP0266, "Actions property"). */
export function targetOf(resource: unknown, action: string): string | undefined {
  const ofStandard = textAt(resource, 'Actions', `#${action}`, 'target');
  return ofStandard ?? textAt(resource, 'Actions', 'Oem', `#${action}`, 'target');
}
