// What the report is in a browser: whole, harmless, for everybody to use, and quick.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { launch, open, violations } from "./browser.mjs";
import { HARM, OUT, SAMPLES, hostile, made, many } from "./samples.mjs";

const MANY = 2500;
// How many rows the table shows at once.
const STEP = 1000;
const PRIORITIES = ["P1", "P2", "P3", "P4"];

const english = made("en", SAMPLES);
const japanese = made("ja", SAMPLES, "ja");
const harmful = made("hostile", hostile());
const pages = [english, japanese, harmful];

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

// Opens a page, gives it to `look`, and wants nothing to have been noted.
async function look(report, options, looks) {
  const { page, noted, close } = await open(browser, report.file, options);
  await looks(page);
  await close();
  assert.deepEqual(noted, [], report.name);
}

// The cells of the rows below a heading, as texts, table by table.
const tables = (page, id) =>
  page.evaluate((id) => {
    const found = document.querySelectorAll(`section[aria-labelledby=${id}] table`);
    const texts = (row) => Array.from(row.cells, (cell) => cell.textContent.trim());
    return Array.from(found, (table) => Array.from(table.rows).filter((row) => !table.tHead?.contains(row)).map(texts));
  }, id);
const counts = (of) => [...PRIORITIES.map((priority) => of[priority]), of.total].map(String);
const orDash = (days) => String(days ?? "–");

// Everything that the page counts, as the data of the same moment has it.
async function countsAsTheData(page, { review, rows }) {
  const tiles = await page.evaluate(() =>
    Array.from(document.querySelectorAll(".tiles dd"), (tile) => [tile.firstChild.data, tile.querySelector("small")?.textContent]),
  );
  const parts = (of) => [String(of.total), PRIORITIES.map((priority) => `${priority} ${of[priority]}`).join(" · ")];
  const alone = ["knownExploited", "excepted", "pending", "new"].map((name) => [String(review[name]), undefined]);
  assert.deepEqual(tiles, [parts(review.open), parts(review.overdue), ...alone, [String(review.ended.total), undefined]]);

  const [due] = await tables(page, "due");
  const numbers = (row) => row.slice(1);
  assert.deepEqual(due.map(numbers), [...Object.values(review.dueIn), review.open, review.overdue].map(counts));
  const columns = await page.locator("section[aria-labelledby=due] .value").allTextContents();
  assert.deepEqual(columns, Object.values(review.dueIn).map((span) => String(span.total)));

  const [trend = []] = await tables(page, "trend");
  const days = review.trend.map(({ date, open, overdue, byPriority }) => [date, ...counts(byPriority).slice(0, 4), open, overdue].map(String));
  assert.deepEqual(trend, days.length > 1 ? days : []);

  const [first = []] = await tables(page, "first");
  const worth = (thing) => [thing.findings, thing.urgent, thing.resources, thing.inUse].map(String);
  assert.deepEqual(first.map((row) => row.slice(2, 6)), review.firstThings.map(worth));

  const [owners] = await tables(page, "owners");
  assert.deepEqual(owners.map((row) => row.slice(1, 3)), review.owners.map(({ open, overdue }) => [overdue, open].map(String)));
  const begins = ({ firstThing }) => (firstThing ? String(firstThing.findings) : undefined);
  assert.deepEqual(owners.map((row) => /\((\d+)\)$/.exec(row[3])?.[1]), review.owners.map(begins));

  const [flow, age] = await tables(page, "flow");
  const { fixed, gone, unobserved, suppressed, unknown } = review.ended;
  assert.deepEqual(flow.flatMap(numbers), [review.new, fixed, gone, unobserved, suppressed, unknown].map(String));
  const spreads = [review.timeToFixDays, review.openAgeDays];
  assert.deepEqual(age.map(numbers), spreads.map(({ median, max }) => [median, max].map(orDash)));

  const said = await page.locator("section[aria-labelledby=exceptions] > p").textContent();
  const { active, ending, ended, unused } = review.exceptions;
  assert.deepEqual(said.match(/(?<=: )\d+/g), [active, ending, ended, unused].map(String));
  const [attention = []] = await tables(page, "exceptions");
  assert.deepEqual(attention.map((row) => row[0]), review.exceptions.attention.map(({ id }) => id));
  assert.equal((await tables(page, "coverage")).length, review.coverage.unobserved > 0 ? 1 : 0);

  assert.deepEqual(await findings(page), rows.map(shownAs));
  assert.equal(rows.length, review.open.total + review.excepted);
}

// The first text of each cell in the table of findings.
const findings = (page) =>
  page.evaluate(() =>
    Array.from(document.querySelectorAll("#findings tbody tr"), (row) =>
      Array.from(row.cells, (cell) => cell.firstChild?.data.trim() ?? ""),
    ),
  );
// A row of the CSV as the page shows it. A cell that a spreadsheet would take for a formula has an apostrophe there.
const shownAs = (row) =>
  [row.priority, row.score, row.due, row.problem, row.fix, row.resource, row.account, row.owner, row.ageDays || "–", row.exception].map(
    (text) => text.replace(/^'(?=[=+\-@])/, ""),
  );
// Waits until the live region says this: a search and a reset take a moment.
async function says(page, words) {
  const status = page.locator("[role=status]");
  const isSaid = (words) => document.querySelector("[role=status]").textContent === words;
  await page.waitForFunction(isSaid, words, { timeout: 5000 }).catch(() => {});
  assert.equal(await status.textContent(), words);
}
const said = (shown, all) => `${shown} of ${all} findings`;

describe("numbers", () => {
  for (const report of pages) {
    test(`${report.name}: those of the data`, () => look(report, {}, (page) => countsAsTheData(page, report)));
    test(`${report.name}: the same without scripts, and nothing that would need one`, () =>
      look(report, { javaScriptEnabled: false }, async (page) => {
        await countsAsTheData(page, report);
        assert.equal(await page.locator("button, input, select, form").count(), 0);
        const rows = page.locator("#findings tbody tr");
        assert.ok(await rows.first().isVisible());
        assert.ok(await rows.last().isVisible());
      }));
  }
  test("if the script fails, the rows are there all the same", async () => {
    const init = () => delete Intl.NumberFormat;
    const { page, noted, close } = await open(browser, english.file, { init });
    assert.deepEqual(await findings(page), english.rows.map(shownAs));
    assert.ok(await page.locator("#findings tbody tr").last().isVisible());
    assert.deepEqual(noted, ["error: Intl.NumberFormat is not a constructor"]);
    await close();
  });
  test("the same moment gives the same page to the byte", () => assert.equal(made("again", SAMPLES).html, english.html));
});

describe("harm", () => {
  test("strangers' text is text", () =>
    look(harmful, {}, async (page) => {
      await page.waitForTimeout(200);
      const made = await page.evaluate(() => ({
        scripts: document.scripts.length,
        styles: document.querySelectorAll("style").length,
        headings: document.querySelectorAll("h1").length,
        foreign: document.querySelectorAll("img, iframe, object, embed, link, base, b:not(.mark), i, [style]").length,
        handlers: Array.from(document.querySelectorAll("*")).filter((one) => one.getAttributeNames().some((name) => name.startsWith("on"))).length,
        links: Array.from(document.links, (link) => link.getAttribute("href")).filter((href) => !href.startsWith("#")),
      }));
      assert.deepEqual(made, { scripts: 1, styles: 1, headings: 1, foreign: 0, handlers: 0, links: [] });
      const text = await page.evaluate(() => document.body.textContent);
      assert.doesNotMatch(text, /[\u202A-\u202E\u2066-\u2069\u200B\u0000]/);
      for (const word of ["alert(1)", "alert(2)", "alert(3)", "alert(6)", "gpj.exe", "one two", "HYPERLINK", "All clear", "{{ 7*7 }}"]) {
        assert.ok(text.includes(word), `${word} is shown`);
      }
      assert.equal(await page.locator("#findings tbody tr").count(), HARM.length);
    }));

  test("what gets into the page all the same is neither applied nor run", async () => {
    const file = path.join(OUT, "broken-into.html");
    const foreign = "<style>h1 { color: rgb(1, 2, 3) }</style><script>document.title = 'run'</script>"
      + "<img src='there-is-none.png' onerror=\"document.title = 'run'\"><h2 id='styled' style='color: rgb(1, 2, 3)'>x</h2>";
    fs.writeFileSync(file, english.html.replace("<main>", `<main>${foreign}`));
    const { page, noted, close } = await open(browser, file);
    await page.waitForTimeout(200);
    assert.notEqual(await page.title(), "run");
    const colour = (selector) => page.locator(selector).evaluate((one) => getComputedStyle(one).color);
    assert.notEqual(await colour("h1"), "rgb(1, 2, 3)");
    assert.notEqual(await colour("#styled"), "rgb(1, 2, 3)");
    await close();
    assert.equal(noted.filter((one) => /violates the following Content Security Policy/.test(one)).length >= 4, true, noted.join("\n"));
  });
});

describe("access", () => {
  for (const report of [english, japanese]) {
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1200, 360]) {
        test(`${report.name}, ${colorScheme}, ${width} px: axe finds nothing wrong`, () =>
          look(report, { colorScheme, width }, async (page) => {
            await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
            assert.deepEqual(await violations(page), []);
            const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor !== "rgb(255, 255, 255)");
            assert.equal(dark, colorScheme === "dark");
          }));
      }
    }
  }

  for (const report of pages) {
    test(`${report.name}: at 360 px the page does not scroll sideways; what is wide can be reached by keyboard`, () =>
      look(report, { width: 360 }, async (page) => {
        const measured = await page.evaluate(() => {
          document.querySelectorAll("details").forEach((one) => (one.open = true));
          const wide = Array.from(document.querySelectorAll("*")).filter(
            (one) => one.scrollWidth > one.clientWidth && /auto|scroll/.test(getComputedStyle(one).overflowX),
          );
          const isReached = (one) => one.tabIndex === 0 && document.getElementById(one.getAttribute("aria-labelledby"));
          return { page: document.scrollingElement.scrollWidth, wide: wide.length, unreached: wide.filter((one) => !isReached(one)).length };
        });
        assert.equal(measured.page, 360);
        assert.ok(measured.wide > 0);
        assert.equal(measured.unreached, 0);
      }));
  }

  test("the first key leads past everything to the findings", () =>
    look(english, {}, async (page) => {
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      assert.equal(await page.evaluate(() => document.activeElement.id), "all-open");
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement.name), "search");
    }));

  test("each chart has a name, a description, and a table", () =>
    look(english, {}, async (page) => {
      const charts = page.getByRole("img");
      assert.equal(await charts.count(), 2);
      for (const chart of await charts.all()) {
        const [name, drawn, tables] = await chart.evaluate((svg) => [
          svg.querySelector("title").textContent,
          document.getElementById(svg.getAttribute("aria-describedby")).textContent,
          svg.closest("section").querySelectorAll("table").length,
        ]);
        assert.ok(name && drawn && tables === 1);
      }
    }));
});

describe("extras, by keyboard", () => {
  const all = english.rows.length;
  const expected = (takes) => english.rows.filter(takes).map(shownAs);

  test("a column sorts up and down; what is empty comes last", () =>
    look(english, {}, async (page) => {
      const sorted = async (name, direction, column) => {
        await page.locator("#findings th button", { hasText: name }).focus();
        await page.keyboard.press("Enter");
        assert.equal(await page.locator("#findings th[aria-sort]").count(), 1);
        assert.equal(await page.locator("#findings th", { hasText: name }).getAttribute("aria-sort"), direction);
        return (await findings(page)).map((row) => row[column]);
      };
      const scores = english.rows.map((row) => Number(row.score));
      assert.deepEqual((await sorted("Score", "ascending", 1)).map(Number), scores.toSorted((a, b) => a - b));
      assert.deepEqual((await sorted("Score", "descending", 1)).map(Number), scores.toSorted((a, b) => b - a));
      const dues = english.rows.map((row) => row.due).filter(Boolean).toSorted();
      const without = Array(all - dues.length).fill("");
      assert.ok(without.length > 0);
      assert.deepEqual(await sorted("Due", "ascending", 2), [...dues, ...without]);
      assert.deepEqual(await sorted("Due", "descending", 2), [...dues.toReversed(), ...without]);
    }));

  test("the search takes what has every word, and says how many there are", () =>
    look(english, {}, async (page) => {
      await says(page, said(all, all));
      await page.locator("[name=search]").focus();
      await page.keyboard.type("PLATFORM cve-2026");
      const wanted = expected((row) => row.owner === "platform" && row.problem.includes("CVE-2026"));
      assert.ok(wanted.length > 0 && wanted.length < all);
      await says(page, said(wanted.length, all));
      assert.deepEqual(await findings(page), wanted);
    }));

  test("priorities, owner and state narrow it down together; reset shows all as it was", () =>
    look(english, {}, async (page) => {
      const holds = async (takes) => {
        const wanted = expected(takes);
        assert.ok(wanted.length > 0 && wanted.length < all);
        await says(page, said(wanted.length, all));
        assert.deepEqual(await findings(page), wanted);
      };
      await page.locator("[value=P2]").focus();
      await page.keyboard.press("Space");
      await holds((row) => row.priority === "P2");
      await page.locator("[name=owner]").focus();
      await page.keyboard.type("crm");
      await holds((row) => row.priority === "P2" && row.owner === "crm");
      await page.locator("[type=reset]").focus();
      await page.keyboard.press("Enter");
      await says(page, said(all, all));
      assert.deepEqual(await findings(page), english.rows.map(shownAs));
      const states = {
        overdue: (row) => row.overdue === "true",
        excepted: (row) => row.exception !== "",
        "not-excepted": (row) => row.exception === "",
        used: (row) => row.inUse === "true",
      };
      for (const [state, takes] of Object.entries(states)) {
        await page.locator("[name=state]").selectOption(state);
        await holds(takes);
      }
      await page.locator("[name=state]").selectOption("exploited");
      await says(page, said(english.rows.filter((row) => row.knownExploited === "true").length, all));
    }));

  test("what nobody owns can be chosen, and Japanese pages speak Japanese", () =>
    look(japanese, {}, async (page) => {
      await page.locator("[name=owner]").selectOption({ label: "なし" });
      const nobodys = japanese.rows.filter((row) => row.owner === "").length;
      assert.ok(nobodys > 0);
      await says(page, `${all} 件中 ${nobodys} 件`);
      // Names of owners aside.
      const controls = page.locator(".controls > button, .controls [name=state], .controls legend, .controls > p");
      for (const words of await controls.allTextContents()) assert.doesNotMatch(words, /[a-z]{3}/);
    }));
});

describe("print", () => {
  test("heads repeat, controls are left out, what is folded is unfolded", () =>
    look(english, { colorScheme: "dark" }, async (page) => {
      await page.emulateMedia({ media: "print" });
      const displays = await page.evaluate(() => Array.from(document.querySelectorAll("thead"), (head) => getComputedStyle(head).display));
      assert.deepEqual(new Set(displays), new Set(["table-header-group"]));
      const button = page.locator("#findings th button").first();
      assert.equal(await button.evaluate((one) => getComputedStyle(one).display), "contents", "else its text does not repeat");
      for (const hidden of ["nav", ".controls", ".skip", "summary >> nth=0"]) {
        assert.ok(!(await page.locator(hidden).isVisible()), hidden);
      }
      assert.ok(await page.locator("section[aria-labelledby=due] table").isVisible());
      assert.equal(await page.evaluate(() => getComputedStyle(document.body).color), "rgb(27, 31, 36)", "dark ink on white");
      const pdf = await page.pdf({ preferCSSPageSize: true });
      assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
    }));
});

describe("very many findings", () => {
  const report = made("many", many(MANY));

  test("a hundred thousand would be less than 25 MB", () => {
    const row = (report.html.length - english.html.length) / (MANY - english.rows.length);
    assert.ok(row * 100_000 < 25_000_000, `${row} bytes a row`);
  });

  test("as many as a screen can bear are shown, the others are a button away", () =>
    look(report, {}, async (page) => {
      const more = page.locator(".more");
      assert.equal((await findings(page)).length, STEP);
      assert.equal(await more.textContent(), "Show 1,000 more");
      await says(page, "2,500 of 2,500 findings");
      await more.focus();
      await page.keyboard.press("Enter");
      assert.equal(await more.textContent(), "Show 500 more");
      await page.keyboard.press("Enter");
      assert.ok(!(await more.isVisible()));
      assert.deepEqual(await findings(page), report.rows.map(shownAs));
    }));

  test("without scripts all are there, part by part, each column under its head", () =>
    look(report, { javaScriptEnabled: false }, async (page) => {
      assert.deepEqual(await findings(page), report.rows.map(shownAs));
      const lefts = (row) => row.evaluate((row) => Array.from(row.cells, (cell) => Math.round(cell.getBoundingClientRect().left)));
      const [head, last] = [page.locator("#findings thead tr"), page.locator("#findings tbody tr").last()];
      await last.scrollIntoViewIfNeeded();
      assert.deepEqual(await lefts(last), await lefts(head));
    }));

  test("search and sorting look at all of them, in less than two seconds", () =>
    look(report, {}, async (page) => {
      const problem = report.rows.at(-1).problem;
      const begun = performance.now();
      await page.locator("#findings th button", { hasText: "Problem" }).click();
      assert.equal((await findings(page))[0][3], report.rows.map((row) => row.problem).toSorted()[0]);
      await page.locator("[name=search]").fill(problem);
      await says(page, "1 of 2,500 findings");
      assert.equal((await findings(page))[0][3], problem);
      assert.ok(performance.now() - begun < 2000, `${performance.now() - begun} ms`);
    }));

  test("all that was found is printed", () =>
    look(report, {}, async (page) => {
      await page.evaluate(() => addEventListener("beforeprint", () => (window.printed = document.querySelectorAll("#findings tbody tr").length)));
      await page.pdf({ preferCSSPageSize: true });
      assert.equal(await page.evaluate(() => window.printed), MANY);
      assert.equal((await findings(page)).length, STEP, "and the screen is as before");
    }));
});
