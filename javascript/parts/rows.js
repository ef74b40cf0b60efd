// One capture of the gallery: a row of the list or a card of the grid.
((pc) => {
    "use strict";

    /** An item of the list; `acts` are choose(event), toggle(event) and star(). */
    function rowItem(row, thumbnails, {current, chosen, cards}, acts) {
        const name = (row.title || row.prompt || pc.t("(no prompt)")).slice(0, 80);
        const lines = cards ? cardLines(row) : listLines(row);
        const face = row.thumbnail
            ? thumbnails.image(row.thumbnail, "")
            : pc.make("span", {class: "pc-thumb pc-missing"});
        const opener = pc.make("button", {
            class: "pc-row", type: "button", onclick: acts.choose,
        }, face, pc.make("span", {class: "pc-lines"}, ...lines.filter(Boolean)));
        const check = pc.make("input", {
            class: "pc-check", type: "checkbox", onclick: acts.toggle,
            "aria-label": pc.t("Select {name}", {name}),
        });
        const star = starButton(row.starred, name, acts.star);
        const item = pc.make("li", {class: `pc-item${cards ? " pc-card" : ""}`}, opener, check, star);
        markItem(item, current, chosen);
        return item;
    }

    /** Let an item say whether its capture is the shown one and one of the chosen. */
    function markItem(item, current, chosen) {
        const [opener, check] = item.children;
        opener.setAttribute("aria-current", String(current));
        check.checked = chosen;
        item.classList.toggle("pc-chosen", chosen);
        for (const one of item.children) one.tabIndex = current ? 0 : -1; // Tab stops once, arrows go on
    }

    function listLines(row) {
        const measure = row.size[0] && row.size[1] ? `${row.size[0]}×${row.size[1]}` : "";
        const words = [pc.t(row.kind), measure, row.seed && pc.t("seed {seed}", {seed: row.seed}), pictures(row)];
        const facts = pc.make("span", {class: "pc-note pc-cut"}, words.filter(Boolean).join(" · "));
        const warned = row.warnings && !row.failure ? ` · ${pc.count(row.warnings, "warning")}` : "";
        const when = pc.make("span", {class: "pc-note pc-cut"}, ...pc.badges(row), pc.moment(row.started),
            ` · ${pc.t(pc.SOURCES[row.source])}${warned}`);
        return [prompt(row), facts, reason(row) || model(row), when];
    }

    function cardLines(row) {
        const words = [pc.t(row.kind), pictures(row)].filter(Boolean).join(" · ");
        const when = pc.make("span", {class: "pc-note pc-cut"}, ...pc.badges(row), pc.moment(row.started), ` · ${words}`);
        return [prompt(row), when];
    }

    function prompt(row) {
        const text = row.title || row.prompt || pc.t("(no prompt)");
        return pc.make("span", {class: row.title ? "pc-prompt pc-title" : "pc-prompt", dir: "auto"}, text);
    }

    function pictures(row) {
        return row.pictures > 1 ? pc.count(row.pictures, "picture") : "";
    }

    function reason(row) {
        const why = row.failure || row.error;
        return why ? pc.make("span", {class: "pc-reason pc-cut", dir: "auto", title: why}, why) : null;
    }

    function model(row) {
        return row.model ? pc.make("span", {class: "pc-note pc-cut pc-model", dir: "auto"}, row.model) : null;
    }

    /** A star that is set or not. */
    function starButton(starred, name, act) {
        const label = name ? pc.t("Star {name}", {name}) : pc.t("Star");
        return pc.make("button", {
            class: "pc-star", type: "button", onclick: act, title: starred ? pc.t("Starred") : pc.t("Star"),
            "aria-label": label, "aria-pressed": String(Boolean(starred)),
        }, starred ? "★" : "☆");
    }

    /** What stands where there are no rows. */
    function noRows(filters) {
        if (filters.active) {
            return [
                pc.make("h2", {}, pc.t("Nothing found")),
                pc.make("p", {}, pc.t("No capture fits the search and the filters above.")),
                pc.button(pc.t("Clear the search and the filters"), "", () => filters.clear()),
            ];
        }
        return [
            pc.make("h2", {}, pc.t("No captures yet")),
            pc.make("p", {}, pc.t("Generate a picture in txt2img or img2img, or send a request to the API. " +
                "It appears here by itself when the job ends, as the payload that makes it again.")),
        ];
    }

    Object.assign(pc, {noRows, rowItem, markItem, starButton});
})((window.payloadCapture = window.payloadCapture || {}));
