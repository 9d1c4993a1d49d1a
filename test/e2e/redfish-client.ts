import { checkAnswer } from '../schemas/answers.ts';
import { must } from './commands.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body as JSON, empty when it is none. */
  readonly json: Json;
}

/** JSON that tests dig into by names that may be absent; leaves are compared as they are. */
export interface Json {
  readonly [name: string]: Json;
}

export interface HttpRequest {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: readonly string[];
  /** An object goes as JSON, a string as it is. */
  readonly body?: object | string;
}

/** Sends one request with curl. */
export async function curl(url: string, options: HttpRequest = {}): Promise<HttpAnswer> {
  const { method, token, headers = [], body } = options;
  const args = ['-sk', '-i', '--max-time', '300', '--path-as-is'];
  if (method === 'HEAD') args.push('-I');
  else if (method) args.push('-X', method);
  if (token !== undefined) args.push('-H', `X-Auth-Token: ${token}`);
  if (typeof body === 'object') args.push('-H', 'Content-Type: application/json');
  for (const header of headers) args.push('-H', header);
  if (body !== undefined) args.push('--data-binary', '@-');
  const input = typeof body === 'object' ? JSON.stringify(body) : (body ?? '');
  const answer = parseAnswer(await must('curl', [...args, url], input));
  const contentType = answer.headers['content-type'] ?? '';
  // curl posts whatever it is given a body for
  const asked = method ?? (body === undefined ? 'GET' : 'POST');
  checkAnswer({ ...answer, contentType, method: asked, path: pathOf(url) });
  return answer;
}

/** Logs in and answers the session's token. */
export async function logIn(url: string, password: string, UserName = 'admin'): Promise<string> {
  const body = { UserName, Password: password };
  const answer = await curl(`${url}/redfish/v1/SessionService/Sessions`, { method: 'POST', body });
  return answer.headers['x-auth-token'] ?? '';
}

/** As it was sent, where a URL would tidy it up. */
function pathOf(url: string): string {
  return url.replace(/^https?:\/\/[^/]+/, '');
}

function parseAnswer(output: string): HttpAnswer {
  let rest = output;
  // curl shows an interim answer (100 Continue) before the real one
  while (/^HTTP\/[\d.]+ 1\d\d/.test(rest)) rest = rest.slice(rest.indexOf('\r\n\r\n') + 4);
  const end = rest.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
  const text = rest.slice(end + 4);
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(headers),
    text,
    json: parseJson(text),
  };
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
