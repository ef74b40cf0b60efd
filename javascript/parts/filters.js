// What the gallery shows of all captures: the search box, the filters and their chips.
((pc) => {
    "use strict";

    const KEPT = "payload_capture:filters"; // of this page and session alone
    const PAUSE = 250; // ms without typing until a search begins
    const NOTHING = {
        q: "", kind: "", source: "", mine: false, starred: false, from: "", to: "", model: "", tag: "",
    };

    class Filters {
        /** `changed()` is called when something else is asked for; `choices()` resolves to Python's. */
        constructor(channel, changed) {
            this.channel = channel;
            this.changed = changed;
            this.value = {...NOTHING, ...remembered()};
            this.fields = new Map();
            this.timer = null;
            this.user = "";
            this.build();
            this.draw();
        }

        close() {
            clearTimeout(this.timer);
        }

        build() {
            const label = pc.t("Search prompts, models, notes and tags");
            this.search = pc.make("input", {
                class: "pc-search", type: "search", placeholder: pc.t("Search"), "aria-label": label,
                value: this.value.q, oninput: () => this.typed(), onkeydown: (event) => this.key(event),
            });
            this.opener = pc.button(pc.t("Filters"), "", () => this.open(this.panel.hidden));
            this.opener.setAttribute("aria-expanded", "false");
            this.panel = pc.make("div", {class: "pc-filters", role: "group", "aria-label": pc.t("Filters"), hidden: true},
                this.choice("kind", pc.t("Kind")),
                this.choice("source", pc.t("Source")),
                this.choice("mine", pc.t("Whose")),
                this.choice("model", pc.t("Model")),
                this.choice("tag", pc.t("Tag")),
                this.date("from", pc.t("From", {}, "the first day")),
                this.date("to", pc.t("To", {}, "the last day")),
                this.box("starred", pc.t("Starred only")));
            this.chips = pc.make("div", {class: "pc-chips", role: "group", "aria-label": pc.t("Filters in use")});
            this.offer({kind: [], source: [], model: [], tag: []});
        }

        field(name, label, input) {
            input.setAttribute("aria-label", label);
            input.addEventListener("change", () => {
                this.set({[name]: input.type === "checkbox" ? input.checked : input.value});
            });
            this.fields.set(name, input);
            return pc.make("label", {class: "pc-field"}, pc.make("span", {}, label), input);
        }

        choice(name, label) {
            return this.field(name, label, pc.make("select", {}));
        }

        date(name, label) {
            return this.field(name, label, pc.make("input", {type: "date"}));
        }

        box(name, label) {
            return this.field(name, label, pc.make("input", {type: "checkbox"}));
        }

        open(on) {
            this.panel.hidden = !on;
            this.opener.setAttribute("aria-expanded", String(on));
            if (on) this.refresh();
        }

        /** Ask what there is to choose from. */
        async refresh() {
            try {
                const {choices, user} = await this.channel.ask("choices");
                this.user = user;
                this.offer(choices);
                this.draw();
            } catch (error) {
                pc.toast(pc.t("The filters cannot be offered: {reason}", {reason: error.message}), {bad: true});
            }
        }

        offer(choices) {
            const of = (name, words) => (choices[name] || []).map((value) => [value, words[value] || value]);
            const kinds = Object.fromEntries((choices.kind || []).map((kind) => [kind, pc.t(kind)]));
            this.options("kind", [["", pc.t("Every kind")], ...of("kind", kinds)]);
            const sources = Object.fromEntries(Object.entries(pc.SOURCES).map(([key, text]) => [key, pc.t(text)]));
            this.options("source", [["", pc.t("Every source")], ...of("source", sources)]);
            this.options("model", [["", pc.t("Every model")], ...of("model", {})]);
            this.options("tag", [["", pc.t("Every tag")], ...of("tag", {})]);
            this.options("mine", [["", pc.t("Everybody")], ["mine", pc.t("Mine")]]);
            this.fields.get("mine").parentElement.hidden = !this.user;
        }

        options(name, pairs) {
            const select = this.fields.get(name);
            const value = name === "mine" ? (this.value.mine ? "mine" : "") : this.value[name];
            if (value && !pairs.some(([known]) => known === value)) pairs.push([value, value]);
            select.replaceChildren(...pairs.map(([known, text]) => pc.make("option", {value: known, dir: "auto"}, text)));
            select.value = value;
        }

        typed() {
            clearTimeout(this.timer);
            this.timer = setTimeout(() => this.set({q: this.search.value.trim()}), PAUSE);
        }

        key(event) {
            if (event.key === "Enter") {
                clearTimeout(this.timer);
                this.set({q: this.search.value.trim()});
            } else if (event.key === "Escape" && !this.search.value) this.search.blur();
        }

        set(changes) {
            if ("mine" in changes) changes.mine = Boolean(changes.mine);
            const before = JSON.stringify(this.value);
            Object.assign(this.value, changes);
            if (JSON.stringify(this.value) === before) return;
            remember(this.value);
            this.draw();
            this.changed();
        }

        clear() {
            clearTimeout(this.timer);
            this.search.value = "";
            this.set({...NOTHING});
        }

        /** Whether anything is left out. */
        get active() {
            return Object.values(this.value).some(Boolean);
        }

        /** The filters as Python takes them: times instead of days, which are the reader's own. */
        asked() {
            const {q, kind, source, mine, starred, from, to, model, tag} = this.value;
            const until = to && new Date(`${to}T00:00`);
            if (until) until.setDate(until.getDate() + 1);
            const said = {q, kind, source, mine, starred, model, tag,
                since: from && new Date(`${from}T00:00`).toISOString(), until: until && until.toISOString()};
            return Object.fromEntries(Object.entries(said).filter(([, value]) => value));
        }

        draw() {
            for (const [name, input] of this.fields) {
                if (input.type === "checkbox") input.checked = this.value[name];
                else input.value = name === "mine" ? (this.value.mine ? "mine" : "") : this.value[name];
            }
            const chips = this.texts().map(([name, text]) => {
                const label = pc.t("{filter} × remove this filter", {filter: text});
                return pc.button(`${text} ×`, label, () => this.drop(name), "pc-chip");
            });
            if (chips.length > 1) chips.push(pc.button(pc.t("Clear all"), "", () => this.clear(), "pc-small"));
            const held = [...this.chips.children].indexOf(document.activeElement);
            this.chips.replaceChildren(...chips);
            this.chips.hidden = !chips.length;
            if (held >= 0) (chips[Math.min(held, chips.length - 1)] || this.search).focus();
        }

        drop(name) {
            if (name === "q") this.search.value = "";
            this.set({[name]: NOTHING[name]});
        }

        /** [name, words] of each filter that is in use. */
        texts() {
            const {q, kind, source, mine, starred, from, to, model, tag} = this.value;
            return [
                ["q", q && `“${q}”`], ["kind", kind && pc.t(kind)], ["source", source && pc.t(pc.SOURCES[source] || source)],
                ["mine", mine && pc.t("Mine")], ["starred", starred && pc.t("Starred")],
                ["from", from && pc.t("from {day}", {day: from})], ["to", to && pc.t("to {day}", {day: to})],
                ["model", model], ["tag", tag && `#${tag}`],
            ].filter(([, text]) => text);
        }
    }

    function remember(value) {
        try {
            sessionStorage.setItem(KEPT, JSON.stringify(value));
        } catch (error) {
            // the browser keeps nothing: the filters are of this page until it is left
        }
    }

    function remembered() {
        try {
            return JSON.parse(sessionStorage.getItem(KEPT)) || {};
        } catch (error) {
            return {}; // another program's, or the browser keeps nothing
        }
    }

    Object.assign(pc, {Filters});
})((window.payloadCapture = window.payloadCapture || {}));
