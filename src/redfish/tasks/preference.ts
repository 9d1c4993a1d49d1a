/** How long a client wants to wait for an answer. */
export interface Preference {
  /** Milliseconds; absent when it left that to the service. */
  readonly wait?: number;
}

/** Reads a Prefer header: `respond-async`, perhaps with `wait=SECONDS` (RFC 7240 §4). */
export function readPreference(header: string | undefined): Preference {
  const preferences = (header ?? '')
    .split(',')
    .map((one) => one.split(';')[0]?.trim().toLowerCase());
  if (!preferences.includes('respond-async')) return {};
  const wait = preferences.map((one) => /^wait\s*=\s*"?(\d{1,6})"?$/.exec(one ?? '')?.[1]);
  return { wait: Number(wait.find((seconds) => seconds !== undefined) ?? 0) * 1000 };
}
