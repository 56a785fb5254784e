// Where one is: the part of the address behind #, so that any server can serve the page.

function read(): { path: string; params: URLSearchParams } {
  const [path = "/", search = ""] = location.hash.replace(/^#/, "").split("?", 2);
  return { path: path.startsWith("/") ? path : "/" + path, params: new URLSearchParams(search) };
}

class Router {
  #now = $state.raw(read());

  constructor() {
    addEventListener("hashchange", () => (this.#now = read()));
  }

  get path(): string {
    return this.#now.path;
  }

  /** The whole address, parameters too. */
  get place(): string {
    return `${this.#now.path}?${this.#now.params}`;
  }

  get parts(): string[] {
    return this.#now.path.split("/").filter(Boolean).map(decode);
  }

  param(name: string): string {
    return this.#now.params.get(name) ?? "";
  }

  /** Sets a parameter of this place without a new entry in the history. */
  set(name: string, value: string): void {
    const params = new URLSearchParams(this.#now.params);
    if (value) params.set(name, value);
    else params.delete(name);
    const search = params.toString();
    history.replaceState(null, "", "#" + this.#now.path + (search ? "?" + search : ""));
    this.#now = { path: this.#now.path, params };
  }

  go(path: string): void {
    location.hash = path;
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const router = new Router();
export const link = (...parts: (string | number)[]): string => "#/" + parts.map((p) => encodeURIComponent(String(p))).join("/");
