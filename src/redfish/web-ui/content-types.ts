/** Media types by the ending of a file name; browsers are told not to guess. */
const contentTypes: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  gif: 'image/gif',
  html: 'text/html; charset=utf-8',
  ico: 'image/vnd.microsoft.icon',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  map: 'application/json; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml',
  ttf: 'font/ttf',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
  webmanifest: 'application/manifest+json',
  webp: 'image/webp',
  woff: 'font/woff',
  woff2: 'font/woff2',
};

/** @param name of a file, without `.gz` */
export function contentTypeOf(name: string): string {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return (
    (Object.hasOwn(contentTypes, ending) && contentTypes[ending]) || 'application/octet-stream'
  );
}

/**
 * Whether a bundler put a hash of the content into the name, so that the content never changes: hex
 * digits, or eight characters of base64url. A name that is in doubt has none.
 */
export function hasContentHash(name: string): boolean {
  return /[.-](?:[0-9a-f]{8,64}|(?=[^.]*\d)(?=[^.]*[A-Z])(?=[^.]*[a-z])[\w-]{8})\.[a-z0-9]+$/.test(
    name,
  );
}
