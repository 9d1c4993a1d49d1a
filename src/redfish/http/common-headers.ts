/** What every answer carries, those to what cannot be parsed too. Nothing here is a page. */
export const commonHeaders: Readonly<Record<string, string>> = {
  'OData-Version': '4.0',
  'Cache-Control': 'no-store, max-age=0',
  Pragma: 'no-cache',
  'Strict-Transport-Security': 'max-age=31536000; includeSubdomains',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};
