// What a person waits for, measured in a browser; prints figures as JSON.
import { base, bad, browser, visitor, WAIT } from "./browser.mjs";

const LOADS = 15;
const ROWS = 4096;
const FRAMES = 900;
const figures = {};
const sorted = (list) => [...list].sort((a, b) => a - b);
const median = (list) => sorted(list)[Math.floor(list.length / 2)];

// the first page, each time by a browser that has nothing kept
const usable = [];
const bytes = [];
for (let i = 0; i <= LOADS; i++) {
  const { page, context } = await visitor();
  let sum = 0;
  const read = [];
  page.on("requestfinished", (r) => read.push(r.sizes().then((s) => (sum += s.responseBodySize), () => {})));
  // usable: what the network said stands there, and the thread is free for a click
  await page.addInitScript(() => {
    let usable;
    window.usable = new Promise((resolve) => (usable = resolve));
    const watch = new MutationObserver(() => {
      if (![...document.querySelectorAll("h2")].some((h) => h.textContent === "Subnets by share of emission") || !document.querySelector("tbody tr")) return;
      watch.disconnect();
      const free = new MessageChannel();
      free.port1.onmessage = () => usable(performance.now());
      free.port2.postMessage(0);
    });
    watch.observe(document, { childList: true, subtree: true });
  });
  await page.goto(base);
  const took = await page.evaluate("window.usable");
  await Promise.all(read);
  if (i > 0) { // once to warm the machine
    usable.push(took);
    bytes.push(sum);
  }
  await context.close();
}
figures["usable-ms"] = median(usable);
figures["usable-ms-worst"] = Math.max(...usable);
figures["first-page-bytes"] = Math.max(...bytes);

// 4,096 rows from one end to the other and back, as fast as a hand flings them
const { page, context } = await visitor();
await page.route("**/v1/subnets/1/metagraph", async (route) => {
  const answer = await (await route.fetch()).json();
  const one = answer.neurons[0];
  answer.neurons = Array.from({ length: ROWS }, (_, uid) => ({ ...one, uid, owner: uid === 0, permit: uid < 64, incentive: uid / ROWS ** 2, stake_alpha: String(uid * 1_234_567_891), pruning_rank: uid }));
  await route.fulfill({ json: answer });
});
await page.goto(`${base}/#/subnets/1?tab=metagraph`);
await page.getByText(`4\u202f096 of 4\u202f096`).waitFor(WAIT);
const client = await context.newCDPSession(page);

/** A list is flung from one end to the other and back: how long each frame was, and each long task. */
const fling = (page, frames) => page.evaluate(async (frames) => {
  const list = document.querySelector(".window");
  const tasks = [];
  const watch = new PerformanceObserver((seen) => tasks.push(...seen.getEntries().map((e) => e.duration)));
  watch.observe({ entryTypes: ["longtask"] });
  const deltas = [];
  const far = list.scrollHeight - list.clientHeight;
  let last = await new Promise(requestAnimationFrame);
  for (let i = 1; i <= frames; i++) {
    list.scrollTop = far * (1 - Math.abs(1 - (2 * i) / frames));
    const now = await new Promise(requestAnimationFrame);
    deltas.push(now - last);
    last = now;
  }
  watch.disconnect();
  return { deltas, tasks };
}, frames);

// what the machine itself does to frames: a list of nothing, by the same hand
const nothing = await visitor();
await nothing.page.setContent('<div class="window" style="height:560px;overflow:auto"><div style="height:147456px"></div></div>');
const floor = await fling(nothing.page, FRAMES);
await nothing.context.close();
figures["nothing-frame-ms-longest"] = Math.max(...floor.deltas);
figures["nothing-frames-over-50-ms"] = floor.deltas.filter((d) => d > 50).length;

await client.send("Performance.enable", { timeDomain: "threadTicks" }); // processor time, whatever else the machine does
const spent = async () => (await client.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value * 1000;
const before = await spent();
const { deltas, tasks } = await fling(page, FRAMES);
figures["frame-ms-longest"] = Math.max(...deltas);
figures["frame-ms-99th"] = sorted(deltas)[Math.floor(deltas.length * 0.99)];
figures["frame-ms-median"] = median(deltas);
figures["frames-over-50-ms"] = deltas.filter((d) => d > 50).length;
figures["tasks-over-50-ms"] = tasks.length;
figures["thread-ms-a-frame"] = ((await spent()) - before) / FRAMES;

// and once more with each task's processor time taken down: what else runs does not lengthen that
await (await page.waitForResponse((r) => r.url().endsWith("/metagraph"), WAIT)).finished(); // read anew now that the hand rests
await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
const devtools = await browser.newBrowserCDPSession();
const events = [];
devtools.on("Tracing.dataCollected", ({ value }) => events.push(...value));
const ended = new Promise((resolve) => devtools.once("Tracing.tracingComplete", resolve));
await devtools.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["disabled-by-default-devtools.timeline"] } });
await fling(page, FRAMES);
await devtools.send("Tracing.end");
await ended;
const dearest = (thread) => {
  const threads = new Set(events.filter((e) => e.name === "thread_name" && e.args.name === thread).map((e) => `${e.pid}/${e.tid}`));
  let most = 0;
  for (const e of events) if (e.name === "RunTask" && threads.has(`${e.pid}/${e.tid}`)) most = Math.max(most, (e.tdur ?? 0) / 1000);
  if (most === 0) throw new Error(`no task of ${thread} was traced`);
  return most;
};
figures["thread-ms-longest"] = dearest("CrRendererMain");
figures["drawing-ms-longest"] = dearest("VizCompositorThread");
await page.unrouteAll({ behavior: "ignoreErrors" }); // the neurons may be asked for just now
await browser.close();
if (bad.length > 0) throw new Error(bad.join("\n"));
console.log(JSON.stringify(figures));
