// Several captures chosen at once, and the bar that says what can be done with them.
((pc) => {
    "use strict";

    const MANY = 100; // captures of one question

    class Selection {
        /** `acts` are what the bar's buttons do, each with the chosen ids; `changed()` redraws. */
        constructor(acts, changed) {
            this.ids = new Set();
            this.anchor = null; // from where Shift extends
            this.acts = acts;
            this.changed = changed;
            this.trash = false;
            this.build();
        }

        build() {
            this.words = pc.make("span", {class: "pc-said", role: "status"});
            const act = (name) => () => this.acts[name]([...this.ids]);
            this.format = pc.make("select", {"aria-label": pc.t("Export as")},
                pc.make("option", {value: "zip"}, "zip"), pc.make("option", {value: "jsonl"}, "JSONL"));
            const exporter = pc.button(pc.t("Export"), pc.t("Export the chosen captures as one file"),
                () => this.acts.export([...this.ids], this.format.value));
            this.comparer = pc.button(pc.t("Compare"), "", act("compare"));
            this.kept = [
                this.comparer,
                pc.button(pc.t("Replay & verify"), "", act("prove")),
                pc.button(pc.t("Star"), pc.t("Star the chosen captures"), act("star")),
                pc.button(pc.t("Delete"), pc.t("Delete the chosen captures"), act("trash"), "pc-danger"),
            ];
            this.thrown = [
                pc.button(pc.t("Restore"), pc.t("Restore the chosen captures"), act("restore")),
                pc.sureButton(pc.t("Delete for good"), pc.t("Really, for good?"), act("delete")),
            ];
            const clear = pc.button(pc.t("Clear"), pc.t("Clear the selection"), () => this.clear());
            this.bar = pc.make("div", {class: "pc-selection", role: "toolbar", "aria-label": pc.t("Chosen captures"), hidden: true},
                this.words, exporter, this.format, ...this.kept, ...this.thrown, clear);
        }

        draw() {
            const count = this.ids.size;
            this.bar.hidden = count === 0;
            this.words.textContent = count ? pc.t("{count} selected", {count: count.toLocaleString()}) : "";
            this.comparer.disabled = count !== 2;
            this.comparer.title = count === 2 ? "" : pc.t("Choose exactly two captures to compare them.");
            this.kept.forEach((one) => (one.hidden = this.trash));
            this.thrown.forEach((one) => (one.hidden = !this.trash));
            this.changed();
        }

        has(id) {
            return this.ids.has(id);
        }

        toggle(id) {
            if (!this.ids.delete(id)) this.ids.add(id);
            this.anchor = id;
            this.draw();
        }

        /** All from the anchor (`from` where there is none) to `to`, in the order of `rows`. */
        extend(rows, from, to) {
            const index = (id) => rows.findIndex((row) => row.id === id);
            let start = index(this.anchor);
            if (start < 0) {
                this.anchor = from;
                start = index(from);
            }
            const [first, last] = [start, index(to)].sort((one, other) => one - other);
            this.ids = new Set(rows.slice(Math.max(first, 0), last + 1).map((row) => row.id));
            this.draw();
        }

        all(rows) {
            this.ids = new Set(rows.map((row) => row.id));
            this.draw();
        }

        clear() {
            this.anchor = null;
            if (!this.ids.size) return;
            this.ids.clear();
            this.draw();
        }

        /** Forget those that are not there any more. */
        keep(known) {
            const before = this.ids.size;
            for (const id of this.ids) if (!known.has(id)) this.ids.delete(id);
            if (this.ids.size !== before) this.draw();
        }
    }

    /**
     * Ask the same of many captures, some at a time: {done, gone, failed}. Raises what stops the
     * first; `failed` says what stopped a later one.
     */
    async function askForEach(channel, name, captures, more = {}) {
        const made = {done: [], gone: 0, failed: ""};
        for (let start = 0; start < captures.length && !made.failed; start += MANY) {
            const some = captures.slice(start, start + MANY);
            try {
                const answer = await channel.ask(name, {captures: some, ...more}, pc.PATIENCE_FOR_PICTURES);
                made.done.push(...answer.done);
                made.gone += answer.gone;
                made.failed = answer.failed;
            } catch (error) {
                if (!made.done.length) throw error;
                made.failed = error.message;
            }
        }
        return made;
    }

    /** Save the captures as one file, which Python makes. */
    async function exportCaptures(channel, captures, format) {
        const away = pc.toast(pc.t("Making the file…"));
        try {
            const question = {captures, format};
            const {name, file} = await channel.ask("bundle", question, pc.PATIENCE_FOR_PICTURES);
            const data = await fetch(`data:application/octet-stream;base64,${file}`); // decoded off this thread
            pc.save(await data.blob(), name);
            pc.toast(pc.t("Saved as {name}", {name}));
        } catch (error) {
            pc.toast(pc.t("Not exported: {reason}", {reason: error.message}), {bad: true});
        }
        away();
    }

    Object.assign(pc, {Selection, askForEach, exportCaptures});
})((window.payloadCapture = window.payloadCapture || {}));
