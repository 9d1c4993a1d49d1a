/** The parts of a request that tell which page made it. */
interface RequestOrigin {
  readonly method: string;
  header(name: string): string | undefined;
}

/**
 * Whether a page of another origin makes a change. A browser shows a client certificate by itself, to
 * whatever page asks, so only the service's own pages may use it for more than reading, and of those
 * that do not say so only clients that are no browser.
 */
export function isFromOtherSite({ method, header }: RequestOrigin): boolean {
  return method !== 'GET' && method !== 'HEAD' && isOfOtherSite(header);
}

/** Whether a page of another origin makes a request, whatever it asks for. */
export function isOfOtherSite(header: RequestOrigin['header']): boolean {
  const site = header('Sec-Fetch-Site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = header('Origin');
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== hostOf(header('Host'));
}

/** The host of the header as URL writes it, without the port of https. */
function hostOf(header: string | undefined): string | undefined {
  const url = `https://${header ?? ''}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}
