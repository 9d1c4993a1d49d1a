import { CertError } from '../../core/cert-error.ts';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import type { RedfishError } from '../messages/redfish-error.ts';
import { json, link, type Reply, type RequestContext } from '../resource.ts';
import { readPreference } from '../tasks/preference.ts';
import { isTask, type Task, type Tasks } from '../tasks/tasks.ts';
import { acceptedReply } from '../tasks/view.ts';
import type { CertificateCollection } from './collections.ts';
import { asRedfish } from './errors.ts';

export const generateCsrUri =
  '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';

/** Where the CSRs that wait for their certificates are found. */
export interface CsrSources {
  readonly client: CertificateClient;
  readonly collections: () => readonly CertificateCollection[];
  readonly tasks: Tasks;
}

/** What an action that makes a certification request does. */
export interface RequestWork {
  /** Full name of the action, for messages. */
  readonly action: string;
  readonly collection: CertificateCollection;
  /** As the client gave them. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** @returns PEM. Rejections are CertErrors */
  readonly make: () => Promise<string>;
  /** Members of the answer beside the CSR. */
  readonly extraMembers: object;
}

/** Answers with a certification request, or with a task when it takes long or the client prefers that. */
export async function answerRequest(
  { tasks }: Pick<CsrSources, 'tasks'>,
  { uri, identity, header }: RequestContext,
  { action, collection, parameters, make, extraMembers }: RequestWork,
): Promise<Reply> {
  const description = {
    name: nameOf(collection),
    userName: identity?.account.userName ?? '',
    targetUri: uri,
  };
  const preference = readPreference(header('Prefer'));
  const result = await tasks.run(description, preference, async () => {
    const pem = await asRedfish({ action, parameters }, make);
    return json({ CSRString: pem, ...extraMembers });
  });
  if (!isTask(result)) return result;
  const reply = acceptedReply(result);
  // RFC 7240 §3: what was honoured, which an answer that came in time does not say
  const applied = preference.wait === undefined ? {} : { 'Preference-Applied': 'respond-async' };
  return { ...reply, headers: { ...reply.headers, ...applied } };
}

/** Whether the request that a task made waits for its certificate. */
export async function isWaiting(parts: CsrSources, { outcome }: Task): Promise<boolean> {
  const csr = csrOf(outcome);
  if (csr === undefined) return false;
  return (await waitingRequests(parts)).some((one) => csrOf(one.outcome) === csr);
}

/**
 * The requests whose certificate has not come yet, as tasks that have ended: so they can be read again,
 * also after a restart and by clients that did not ask for them.
 */
export async function outstandingRequests(parts: CsrSources): Promise<readonly Task[]> {
  const shown = parts.tasks.list().map(({ outcome }) => csrOf(outcome));
  const waiting = await waitingRequests(parts);
  return waiting.filter(({ outcome }) => !shown.includes(csrOf(outcome)));
}

/** An endpoint that does not answer hides its own requests alone. */
async function waitingRequests({
  client,
  collections,
  tasks,
}: CsrSources): Promise<readonly Task[]> {
  // Those of run time are for their edges alone, and refused to others one by one
  const asked = collections().filter(
    ({ canonical, isOfRunTime, requestUsages, endpoint }) =>
      canonical && !isOfRunTime && requestUsages && client.isAvailable(endpoint),
  );
  const lists = await Promise.all(
    asked.map(async (collection) => {
      const list = await client.outstanding(collection.endpoint).catch((error: unknown) => {
        // A manager that has no such list is no fault
        if (!(error instanceof CertError && error.code === 'unsupported')) tasks.report(error);
        return [];
      });
      return list.map(({ id, pem, created }): Task => {
        const time = created.getTime();
        return {
          id: id.slice(0, 16),
          name: nameOf(collection),
          userName: '',
          targetUri: generateCsrUri,
          started: time,
          ended: time,
          outcome: json({ CSRString: pem, CertificateCollection: link(collection.uri) }),
        };
      });
    }),
  );
  return lists.flat();
}

function nameOf({ collectionName }: CertificateCollection): string {
  return `Certificate signing request for the ${collectionName}`;
}

function csrOf(outcome: Reply | RedfishError | undefined): unknown {
  return outcome && 'body' in outcome && outcome.body && 'CSRString' in outcome.body
    ? outcome.body.CSRString
    : undefined;
}
