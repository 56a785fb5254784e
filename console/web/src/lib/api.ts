// The console's JSON API, see console/openapi.yaml.

/** What went wrong, with what to do about it. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint = "",
    readonly status = 0,
    readonly hash?: string,
    readonly height?: number,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

const TIMEOUT = 15_000;
/** Sending waits for a block. */
export const SEND_TIMEOUT = 90_000;

async function readError(response: Response): Promise<ApiError> {
  let error: { code?: unknown; message?: unknown; hint?: unknown; hash?: unknown; height?: unknown } = {};
  try {
    error = ((await response.json()) as { error?: typeof error }).error ?? {};
  } catch {
    // no JSON: the status has to do
  }
  const text = (value: unknown, otherwise: string) => (typeof value === "string" ? value : otherwise);
  return new ApiError(
    text(error.code, "error"),
    text(error.message, `The console answered with status ${response.status}.`),
    text(error.hint, ""),
    response.status,
    typeof error.hash === "string" ? error.hash : undefined,
    typeof error.height === "number" ? error.height : undefined,
  );
}

async function ask(path: string, init: RequestInit, timeout: number, signal?: AbortSignal): Promise<Response> {
  const deadline = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(path, { ...init, signal: signal ? AbortSignal.any([signal, deadline]) : deadline, credentials: "same-origin", redirect: "error" });
    if (!response.ok) throw await readError(response);
    return response;
  } catch (error) {
    if (error instanceof ApiError || signal?.aborted) throw error;
    if (deadline.aborted) throw new ApiError("timeout", `The console did not answer within ${timeout / 1000} seconds.`, "See that lode runs, and try again.");
    throw new ApiError("offline", "The console does not answer.", "See that lode up or lode console runs. This page goes on by itself when it is back.");
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, { headers: { Accept: "application/json" } }, TIMEOUT, signal);
  return (await response.json()) as T;
}

export async function post<T>(path: string, body: unknown, timeout = TIMEOUT): Promise<T> {
  const response = await ask(path, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body) }, timeout);
  return (await response.json()) as T;
}

export function query(params: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) if (value !== undefined && value !== "") search.set(key, String(value));
  const text = search.toString();
  return text ? `?${text}` : "";
}
