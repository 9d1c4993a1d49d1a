// Speaks to the service as OpenBMC's web UI does by axios; the tests call what is set on globalThis.
const sessions = '/redfish/v1/SessionService/Sessions';
const violations = [];
document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
  violations.push(effectiveDirective);
});

function ask(method, path, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    request.withCredentials = true;
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('X-Requested-With', 'XMLHttpRequest');
    const secret = xsrfToken();
    if (secret !== undefined) request.setRequestHeader('X-XSRF-TOKEN', secret);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.onerror = () => reject(new Error(`no answer to ${method} ${path}`));
    request.onload = () => {
      if (request.status === 401 && path !== sessions) forget();
      resolve({
        status: request.status,
        headers: headersOf(request.getAllResponseHeaders()),
        text: request.responseText,
      });
    };
    request.send(body);
  });
}

function xsrfToken() {
  const pairs = document.cookie.split('; ');
  return pairs.find((pair) => pair.startsWith('XSRF-TOKEN='))?.slice('XSRF-TOKEN='.length);
}

function headersOf(lines) {
  const pairs = lines.split('\r\n').map((line) => line.split(/: ?(.*)/s, 2));
  return Object.fromEntries(pairs.filter(([name]) => name !== ''));
}

function askJson(method, path, value) {
  const headers = { 'Content-Type': 'application/json' };
  return ask(method, path, { headers, body: JSON.stringify(value) });
}

/** A file that was chosen in a dialog goes as it is. */
function upload(path, text) {
  const headers = { 'Content-Type': 'application/x-pem-file' };
  return ask('POST', path, { headers, body: new File([text], 'certificate.pem') });
}

async function login(UserName, Password) {
  const answer = await askJson('POST', sessions, { UserName, Password });
  if (answer.status === 201) {
    localStorage.setItem('sessionURI', answer.headers.location);
    show('logged in');
  }
  return answer;
}

async function logout() {
  const answer = await ask('DELETE', localStorage.getItem('sessionURI'));
  forget();
  return answer;
}

function forget() {
  localStorage.removeItem('sessionURI');
  show('logged out');
}

/** After a reload only the browser knows the session. */
async function resume() {
  const uri = localStorage.getItem('sessionURI');
  const isThere = uri !== null && (await ask('GET', uri)).status === 200;
  if (isThere) show('logged in');
  else forget();
}

function show(state) {
  document.querySelector('#state').textContent = state;
}

Object.assign(globalThis, { ask, askJson, upload, login, logout, violations });
resume();
