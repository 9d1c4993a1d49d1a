import { type CsrSources, isWaiting, outstandingRequests } from '../certificates/requests.ts';
import { dateTime } from '../date-time.ts';
import { mayUse } from '../http/privileges.ts';
import { forbidden, notFound, RedfishError } from '../messages/redfish-error.ts';
import {
  collectionView,
  get,
  link,
  naming,
  type Reply,
  type RequestContext,
  type Resource,
  readOnly,
} from '../resource.ts';
import type { Task } from '../tasks/tasks.ts';
import { acceptedReply, taskCollection, taskService, taskView } from '../tasks/view.ts';

interface TaskParts extends CsrSources {
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
}

const description = 'Requests that take long, and certification requests that wait';

/** TaskService, its Tasks and their monitors (DSP0266, "Asynchronous operations"). */
export function taskServiceResources(parts: TaskParts): readonly Resource[] {
  const waiting = waitingTasks(parts);
  const findTask = async (context: RequestContext): Promise<Task> => {
    const { id = '' } = context.parameters;
    const task = parts.tasks.get(id) ?? (await waiting(context)).find((one) => one.id === id);
    if (task) return task;
    throw notFound('Task', id);
  };
  const DELETE = {
    handle: async (context: RequestContext) => removeTask(parts, await findTask(context)),
  };
  return [
    readOnly(taskService, 'TaskService', () => ({
      ...naming('TaskService', taskService),
      Name: 'Task Service',
      Description: description,
      ServiceEnabled: true,
      DateTime: dateTime(parts.now()),
      CompletedTaskOverWritePolicy: 'Oldest',
      LifeCycleEventOnTaskStateChange: false,
      Status: { State: 'Enabled', Health: 'OK' },
      Tasks: link(taskCollection),
    })),
    readOnly(taskCollection, 'TaskCollection', async (context) => {
      const tasks = [...parts.tasks.list(), ...(await waiting(context))];
      return collectionView(
        taskCollection,
        'TaskCollection',
        ['Task Collection', description],
        tasks.map(({ id }) => `${taskCollection}/${id}`),
      );
    }),
    {
      path: `${taskCollection}/:id`,
      entity: 'Task',
      operations: {
        GET: get(async (context) => taskView(await findTask(context))),
        DELETE,
      },
    },
    {
      path: `${taskService}/TaskMonitors/:id`,
      entity: 'Task',
      operations: {
        GET: { handle: async (context) => monitor(await findTask(context), context) },
        DELETE,
      },
    },
  ];
}

/**
 * Finds the CSRs that wait, as tasks. The managers are asked once for an answer that shows many tasks: `$expand` finds
 * each by itself.
 */
function waitingTasks(parts: CsrSources) {
  const byRequest = new WeakMap<object, Promise<readonly Task[]>>();
  return ({ request }: RequestContext): Promise<readonly Task[]> => {
    const waiting = byRequest.get(request) ?? outstandingRequests(parts);
    byRequest.set(request, waiting);
    return waiting;
  };
}

/** What the request answered. A CSR may hold a challenge password, so its text is not for every user. */
function monitor(task: Task, { identity }: RequestContext): Reply {
  const isOwn = identity?.account.userName === task.userName;
  if (!isOwn && !mayUse(identity, 'ConfigureManager')) throw forbidden();
  const { outcome } = task;
  if (outcome instanceof RedfishError) throw outcome;
  return outcome ?? acceptedReply(task);
}

/** A request whose certificate is still to come keeps its key: it goes with the certificate or with time. */
async function removeTask(parts: TaskParts, task: Task): Promise<Reply> {
  const waits = await isWaiting(parts, task);
  if (!waits && parts.tasks.remove(task.id)) return { status: 204 };
  const detail = waits
    ? 'the request waits for its certificate, and its key is kept for it'
    : 'the task is running';
  throw new RedfishError(409, { id: 'ResourceInUse', args: [], detail });
}
