import { hasPrivilege } from '../../identity/roles.ts';
import { isWaiting, outstandingRequests } from '../certificates/requests.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { json, link, type Reply, type RequestContext } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import type { ResourceFactory, ServiceParts } from '../service-parts.ts';
import type { Task } from '../tasks/tasks.ts';
import { acceptedReply, taskCollection, taskService, taskView } from '../tasks/view.ts';

/** TaskService, its Tasks and their monitors (DSP0266, "Asynchronous operations"). */
export const taskServiceResources: ResourceFactory = (parts) => [
  {
    path: taskService,
    entity: 'TaskService',
    operations: {
      GET: {
        handle: () =>
          json({
            '@odata.id': taskService,
            '@odata.type': typeOf('TaskService'),
            Id: 'TaskService',
            Name: 'Task Service',
            Description: 'Requests that take long, and certification requests that wait',
            ServiceEnabled: true,
            DateTime: new Date(parts.now()).toISOString().replace(/\.\d+Z$/, '+00:00'),
            CompletedTaskOverWritePolicy: 'Oldest',
            LifeCycleEventOnTaskStateChange: false,
            Status: { State: 'Enabled', Health: 'OK' },
            Tasks: link(taskCollection),
          }),
      },
    },
  },
  {
    path: taskCollection,
    entity: 'TaskCollection',
    operations: {
      GET: {
        async handle(context) {
          const tasks = await allTasks(parts, context);
          return json({
            '@odata.id': taskCollection,
            '@odata.type': typeOf('TaskCollection'),
            Name: 'Task Collection',
            Description: 'Requests that take long, and certification requests that wait',
            Members: tasks.map(({ id }) => link(`${taskCollection}/${id}`)),
            'Members@odata.count': tasks.length,
          });
        },
      },
    },
  },
  {
    path: `${taskCollection}/:id`,
    entity: 'Task',
    operations: {
      GET: { handle: async (context) => json(taskView(await findTask(parts, context))) },
      DELETE: { handle: async (context) => removeTask(parts, await findTask(parts, context)) },
    },
  },
  {
    path: `${taskService}/TaskMonitors/:id`,
    entity: 'Task',
    operations: {
      GET: {
        async handle(context) {
          const task = await findTask(parts, context);
          return isTheirs(task, context) ? monitor(task) : refuse();
        },
      },
      DELETE: { handle: async (context) => removeTask(parts, await findTask(parts, context)) },
    },
  },
];

async function allTasks(parts: ServiceParts, context: RequestContext): Promise<readonly Task[]> {
  return [...parts.tasks.list(), ...(await waitingTasks(parts, context))];
}

const waitingByRequest = new WeakMap<object, Promise<readonly Task[]>>();

/** Asks the managers once for an answer that shows many tasks, as `$expand` finds each by itself. */
function waitingTasks(parts: ServiceParts, { request }: RequestContext): Promise<readonly Task[]> {
  const waiting = waitingByRequest.get(request) ?? outstandingRequests(parts);
  waitingByRequest.set(request, waiting);
  return waiting;
}

async function findTask(parts: ServiceParts, context: RequestContext): Promise<Task> {
  const { id = '' } = context.parameters;
  const task =
    parts.tasks.get(id) ?? (await waitingTasks(parts, context)).find((one) => one.id === id);
  if (task) return task;
  throw new RedfishError(404, { id: 'ResourceNotFound', args: ['Task', id] });
}

/** A request may hold a challenge password, so its text is not for everybody. */
function isTheirs({ userName }: Task, { identity }: RequestContext): boolean {
  if (!identity) return false;
  return (
    identity.account.userName === userName ||
    hasPrivilege(identity.account.role, 'ConfigureManager')
  );
}

function refuse(): never {
  throw new RedfishError(403, { id: 'InsufficientPrivilege', args: [] });
}

function monitor(task: Task): Reply {
  const { outcome } = task;
  if (outcome instanceof RedfishError) throw outcome;
  return outcome ?? acceptedReply(task);
}

/** A request whose certificate is still to come keeps its key: it goes with the certificate or with time. */
async function removeTask(parts: ServiceParts, task: Task): Promise<Reply> {
  const waits = await isWaiting(parts, task);
  if (!waits && parts.tasks.remove(task.id)) return { status: 204 };
  const detail = waits
    ? 'the request waits for its certificate, and its key is kept for it'
    : 'the task is running';
  throw new RedfishError(409, { id: 'ResourceInUse', args: [], detail });
}
