/**
 * The page in a browser.
 *
 * @module
 */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { dashboard } from "@connlimit/connlimit/dashboard";
import { launch, noBrowser } from "../support/browser.ts";
import { eventually } from "../support/net.ts";
import { isBun, isDeno } from "../support/platform.ts";

/** What a browser sees of two limiters. */
interface Sight {
  readonly page: Page;
  readonly chat: Limiter;
  readonly api: Limiter;
  readonly url: string;
  /** Ends the server with all its connections. */
  stop(): void;
}

/** The browser of all tests. */
let browser: Browser | undefined;

after(() => browser?.close());

/** Opens the page. Afterwards, it must have asked nobody else, and must have had no error. */
async function seeing(
  { colorScheme = "light", width = 1_200 }: { colorScheme?: "light" | "dark"; width?: number },
  use: (sight: Sight) => Promise<void>,
) {
  browser ??= await launch();
  await using context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
  const chat = new Limiter({ maxPerClient: 2, maxTotal: 6, networks: { "10.0.0.0/8": { maxPerClient: 0 } } });
  const api = new Limiter();
  using handler = dashboard({ chat, "a/p#i <b>": api }, { authorize: "loopback", interval: 250 });
  const server = createServer(handler.node).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/limits`;
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const faults: string[] = [];
    let stopped = false;
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("dialog", (dialog) => faults.push(dialog.message()));
    page.on("console", (message) => !stopped && message.type() === "error" && faults.push(message.text()));
    page.on("request", (request) => !request.url().startsWith(url) && faults.push(request.url()));
    const stop = () => {
      stopped = true;
      server.closeAllConnections();
    };
    await use({ page, chat, api, url, stop });
    assertEquals(faults, []);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

/** A test in the browser. Its driver is made for Node, and one runtime is enough. */
function inBrowser(name: string, run: () => Promise<void>): void {
  if (!isDeno && !isBun) test(name, { skip: noBrowser }, run);
}

inBrowser("The page shows who is open and who is refused, live", () =>
  seeing({}, async ({ page, chat, url }) => {
    for (let i = 0; i < 5; i++) chat.tryAccept("192.0.2.7");
    await page.goto(url);
    const most = page.getByRole("region", { name: "Most open" });
    const lately = page.getByRole("region", { name: "Refused most" });
    await most.getByRole("row", { name: "192.0.2.7 2 2" }).waitFor();
    await lately.getByRole("row", { name: "192.0.2.7 3 client" }).waitFor();
    assertEquals(await page.getByRole("status").first().textContent(), "Live");

    const slot = chat.accept("2001:db8::1");
    await most.getByRole("row", { name: "2001:db8::/64 1 2" }).waitFor();
    slot.release();
    await most.getByText("2001:db8::/64").waitFor({ state: "detached" });
    chat.tryAccept("10.1.2.3");
    await lately.getByRole("row", { name: "10.1.2.3 1 blocked" }).waitFor();

    await page.getByRole("img", { name: /Open now: 2\. Highest in .*: 3\. Limit on the total: 6\./ }).waitFor();
    await page.getByRole("img", { name: /Refused in .*: client 3, blocked 1\./ }).waitFor();
    await page.getByRole("region", { name: "Limits" }).last().getByRole("row", { name: "10.0.0.0/8 maxPerClient 0" })
      .waitFor();

    chat.setLimits({ maxPerClient: 9 });
    await most.getByRole("row", { name: "192.0.2.7 2 9" }).waitFor();
    await page.getByRole("img", { name: /No limit on the total/ }).waitFor();
  }));

inBrowser("The first paint takes one request and less than 60 kB", () =>
  seeing({}, async ({ page, url }) => {
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url().slice(url.length)));
    const response = await page.goto(url);
    await page.getByRole("heading", { name: "chat" }).waitFor();
    assertEquals(requests, ["", "/events"]);
    const { responseBodySize, responseHeadersSize } = await response!.request().sizes();
    assert(responseBodySize + responseHeadersSize < 60_000);
  }));

inBrowser("The page explains what a client would be answered", () =>
  seeing({}, async ({ page, chat, url }) => {
    for (const peer of ["192.0.2.7", "192.0.2.7", { key: "alice" }]) chat.tryAccept(peer);
    await page.goto(url);
    const box = page.getByLabel("Address or key");
    const answer = page.locator("#explanation");
    await page.getByRole("heading", { name: "chat" }).waitFor();
    await box.fill("::ffff:192.0.2.7");
    await box.press("Enter");
    await answer.getByText("Would be refused, reason client.").waitFor();
    await answer.getByText("The address is an IPv4 address in IPv6 form.").waitFor();
    await answer.getByRole("row", { name: "client 192.0.2.7 2 2 no" }).waitFor();

    await page.getByRole("button", { name: "Explain alice" }).press("Enter");
    await answer.getByText("Would be admitted.").waitFor();
    await answer.getByRole("row", { name: "client alice 1 2 yes" }).waitFor();
    assert(await page.getByLabel("key", { exact: true }).isChecked());

    await page.getByLabel("key", { exact: true }).uncheck();
    await page.getByRole("button", { name: "Explain", exact: true }).click();
    await answer.getByText("reason unknown-address").waitFor();
    assertEquals(chat.stats().refused, 0);
  }));

inBrowser(
  "The page lists limiters, and shows the one that its address names",
  () =>
    seeing({}, async ({ page, api, url }) => {
      for (let i = 0; i < 3; i++) api.accept("192.0.2.9");
      await page.goto(url);
      await page.getByRole("heading", { name: "chat" }).waitFor();
      await page.getByRole("link", { name: "a/p#i <b>" }).focus();
      api.accept("192.0.2.9");
      await page.getByRole("row", { name: "a/p#i <b> 4 no limit 1 0" }).waitFor();
      const focused = await page.evaluate("document.activeElement.getAttribute('aria-label')");
      assertEquals(focused, "a/p#i <b>", "a message takes the focus away");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "a/p#i <b>" }).waitFor();
      await page.getByRole("row", { name: "192.0.2.9 4 100" }).waitFor();
      await page.reload();
      await page.getByRole("heading", { name: "a/p#i <b>" }).waitFor();
      await page.goto(`${url}#%ff`);
      await page.getByRole("heading", { name: "chat" }).waitFor();
    }),
);

inBrowser("Hostile names are text on the page", () =>
  seeing({}, async ({ page, chat, url }) => {
    const keys = ["<script>alert(1)</script>", "<img src=x onerror=alert(2)>", "a\u0000b\u202ec", "x".repeat(10_000)];
    for (const key of keys) for (let i = 0; i < 4; i++) chat.tryAccept({ key });
    await page.goto(url);
    await page.getByRole("cell", { name: keys[0]!, exact: true }).first().waitFor();
    await page.getByRole("button", { name: `Explain ${keys[1]}` }).first().click();
    await page.locator("#explanation").getByText(`The client is ${keys[1]}`).waitFor();
    assertEquals(await page.locator("img[src], main script").count(), 0);
    const text = await page.locator("main").innerText();
    assertStringIncludes(text, "a\\u0000b\\u202ec");
    assert(!text.includes("x".repeat(65)));
    assert(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"));
  }));

inBrowser(
  "The page pauses, goes on, and comes back when the server does",
  () =>
    seeing({}, async ({ page, chat, url, stop }) => {
      await page.goto(url);
      const status = page.getByRole("status").first();
      await page.getByRole("heading", { name: "chat" }).waitFor();
      const ended = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/events"));
      await page.getByRole("button", { name: "Pause" }).press("Space");
      await ended;
      assertEquals(await status.textContent(), "Paused");
      using _ = chat.accept("192.0.2.7");
      assertEquals(await page.getByRole("cell", { name: "192.0.2.7" }).count(), 0);
      await page.getByRole("button", { name: "Pause", pressed: true }).click();
      await page.getByRole("cell", { name: "192.0.2.7", exact: true }).waitFor();

      const lost = page.getByText("Not connected, trying again").waitFor();
      stop();
      await lost;
      await eventually(async () => await status.textContent() === "Live", "the page to be live again");
    }),
);

for (const colorScheme of ["light", "dark"] as const) {
  inBrowser(
    `The page fits a phone, and its text is legible, in the ${colorScheme}`,
    () =>
      seeing({ colorScheme, width: 340 }, async ({ page, chat, url }) => {
        for (const peer of ["2001:db8:1234:5678::1", "192.0.2.7"]) for (let i = 0; i < 5; i++) chat.tryAccept(peer);
        await page.goto(url);
        await page.getByRole("heading", { name: "chat" }).waitFor();
        await page.getByRole("button", { name: "Explain 192.0.2.7" }).first().click();
        await page.locator("#explanation table").waitFor();
        assert(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways");
        // WCAG 2.2, 1.4.3: 4.5 to 1 for text.
        const contrasts = await page.evaluate(CONTRASTS) as [string, number][];
        assert(contrasts.length > 20);
        assertEquals(contrasts.filter(([, contrast]) => contrast < 4.5), []);
      }),
  );
}

/** The contrast of each element's text with what is behind it, by the formula of WCAG. */
const CONTRASTS = `(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let it = element; it; it = it.parentElement) {
      const color = parse(getComputedStyle(it).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
  };
  return [...document.querySelectorAll("body *")]
    .filter((it) => it.checkVisibility() && [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((it) => {
      const style = getComputedStyle(it);
      const [a, b] = [style[it instanceof SVGElement ? "fill" : "color"], behind(it)];
      const [dark, light] = [luminance(parse(a)), luminance(b)].sort((one, other) => one - other);
      return [it.outerHTML.slice(0, 60), (light + 0.05) / (dark + 0.05)];
    });
})()`;
