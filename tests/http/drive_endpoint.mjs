// AWS's JavaScript client at work. Endpoint, region and credentials come from the environment alone; prints what it saw.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const found = createRequire(`${process.env.DURABLE_RUNNER_JS_CLIENT}/`).resolve("@aws-sdk/client-lambda");
const { default: sdk } = await import(pathToFileURL(found));
const client = new sdk.LambdaClient({});
const send = (name, input) => client.send(new sdk[`${name}Command`](input));
const text = (payload) => new TextDecoder().decode(payload);
const seen = {};

async function until(look) {
  for (let times = 0; times < 1000; times++) {
    const result = await look();
    if (result) return result;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it has not come");
}

async function opened(name) {
  const started = await send("Invoke", { FunctionName: "asks", InvocationType: "Event", DurableExecutionName: name });
  const arn = started.DurableExecutionArn;
  const callback = await until(async () => {
    const history = await send("GetDurableExecutionHistory", { DurableExecutionArn: arn });
    return history.Events.find((event) => event.EventType === "CallbackStarted");
  });
  return [arn, callback.CallbackStartedDetails.CallbackId];
}

async function ended(arn) {
  return until(async () => {
    const execution = await send("GetDurableExecution", { DurableExecutionArn: arn });
    return execution.Status !== "RUNNING" && execution;
  });
}

async function refused(name, input) {
  try {
    await send(name, input);
    return "accepted";
  } catch (error) {
    const typed = sdk[error.name] !== undefined && error instanceof sdk[error.name];
    return [error.name, error.$metadata.httpStatusCode, typed];
  }
}

const sync = await send("Invoke", { FunctionName: "adds", Payload: JSON.stringify({ n: 4 }) });
seen.sync = [sync.StatusCode, text(sync.Payload)];
const failed = await send("Invoke", { FunctionName: "fails" });
seen.failed = [failed.FunctionError, JSON.parse(text(failed.Payload)).errorMessage];

const [first, accepted] = await opened("js-1");
await send("SendDurableExecutionCallbackHeartbeat", { CallbackId: accepted });
await send("SendDurableExecutionCallbackSuccess", { CallbackId: accepted, Result: new TextEncoder().encode("yes") });
const whole = await ended(first);
seen.accepted = [whole.Status, JSON.parse(whole.Result).answer, whole.EndTimestamp >= whole.StartTimestamp];
seen.history = [];
const pages = sdk.paginateGetDurableExecutionHistory({ client, pageSize: 2 }, { DurableExecutionArn: first });
for await (const page of pages) seen.history.push(page.Events.map((event) => event.EventId));

const [second, denied] = await opened("js-2");
await send("SendDurableExecutionCallbackFailure", { CallbackId: denied, Error: { ErrorMessage: "too dear" } });
seen.denied = (await ended(second)).Error.ErrorMessage;

const [third] = await opened("js-3");
const stopped = await send("StopDurableExecution", { DurableExecutionArn: third, Error: { ErrorType: "Enough" } });
seen.stopped = [stopped.StopTimestamp instanceof Date, (await ended(third)).Status];

seen.listed = [];
const filters = { FunctionName: "asks", Statuses: ["SUCCEEDED", "STOPPED"], StartedAfter: new Date(0), ReverseOrder: true };
for await (const page of sdk.paginateListDurableExecutionsByFunction({ client, pageSize: 1 }, filters))
  seen.listed.push(...page.DurableExecutions.map((execution) => execution.DurableExecutionName));

seen.errors = [
  await refused("GetDurableExecution", { DurableExecutionArn: first.replace("js-1", "nobody") }),
  await refused("Invoke", { FunctionName: "adds", Payload: "{" }),
  await refused("Invoke", { FunctionName: "asks", DurableExecutionName: "js-1", Payload: "1" }),
  await refused("SendDurableExecutionCallbackSuccess", { CallbackId: accepted }),
  await refused("CheckpointDurableExecution", { DurableExecutionArn: third, CheckpointToken: "bm9uZQ==", Updates: [] }),
];
console.log(JSON.stringify(seen));
