// Several captures replayed, one after the other, in a dialog.
((pc) => {
    "use strict";

    const POLL = 500;
    const AHEAD = 10; // replays that wait at the webui, which takes a hundred of all its users
    const ENDED = ["done", "failed", "cancelled", "refused"];

    const wait = (time) => new Promise((done) => setTimeout(done, time));

    /** The dialog: a row for each capture, how it fares, and a summary. */
    class Proofs {
        constructor(channel, ids) {
            this.channel = channel;
            this.ids = ids;
            this.items = [];
            this.stopped = false;
            this.thumbnails = new pc.Thumbnails(channel);
            this.stopper = pc.button(pc.t("Cancel"), pc.t("Cancel all that have not ended"), () => this.stop());
            this.said = pc.make("p", {role: "status"});
            this.bar = pc.make("progress", {max: ids.length, value: 0, "aria-label": pc.t("Replays that have ended")});
            this.list = pc.make("ul", {class: "pc-proofs", "aria-label": pc.t("Replays")});
            const {dialog, body} = pc.openDialog(pc.t("Replay & verify"), () => this.closed());
            this.dialog = dialog;
            const head = pc.make("div", {class: "pc-progress"}, this.bar, this.stopper);
            body.append(head, this.said, this.list);
        }

        async run() {
            let told;
            try {
                told = await this.channel.ask("summaries", {captures: this.ids});
            } catch (error) {
                return this.fail(error.message);
            }
            if (told.off) return this.fail(pc.offSentence(told.off));
            this.items = told.rows.map((row) => this.item(row));
            this.bar.max = Math.max(1, this.items.length);
            this.list.append(...this.items.map((item) => item.element));
            this.sum();
            while (this.dialog.isConnected && !this.over) {
                try {
                    await this.begin();
                    await this.look();
                } catch (error) {
                    this.said.textContent = error.message;
                }
                if (!this.over) await wait(POLL);
            }
        }

        fail(reason) {
            this.stopper.disabled = true;
            this.said.textContent = reason;
            this.said.classList.add("pc-bad");
        }

        item(row) {
            const image = row.thumbnail ? this.thumbnails.image(row.thumbnail, "") : pc.make("span", {class: "pc-thumb pc-missing"});
            const words = [pc.t(row.kind), row.seed && pc.t("seed {seed}", {seed: row.seed})].filter(Boolean).join(" · ");
            const state = pc.make("span", {class: "pc-proof-state"}, pc.t("waits"));
            const why = pc.make("span", {class: "pc-note", dir: "auto"});
            const lines = pc.make("span", {class: "pc-lines"},
                pc.make("span", {class: "pc-prompt", dir: "auto"}, row.prompt || pc.t("(no prompt)")),
                pc.make("span", {class: "pc-note"}, words), pc.make("span", {}, state), why);
            return {id: row.id, job: null, state: null, verdict: null, place: state, why, element: pc.make("li", {}, image, lines)};
        }

        get over() {
            return this.items.every((item) => ENDED.includes(item.state));
        }

        /** Start as many as may wait at the webui. */
        async begin() {
            for (const item of this.items) {
                const open = this.items.filter((one) => one.job && !ENDED.includes(one.state)).length;
                if (this.stopped || open >= AHEAD || !this.dialog.isConnected) return;
                if (item.job || item.state) continue;
                try {
                    this.tell(item, (await this.channel.ask("replay", {capture: item.id})).replay);
                } catch (error) {
                    this.tell(item, {state: "failed", error: error.message});
                }
                if (this.stopped) await this.cancel(item); // it was on its way when all were cancelled
            }
        }

        async look() {
            const open = this.items.filter((item) => item.job && !ENDED.includes(item.state));
            const all = this.items.every((item) => item.job || item.state); // none waits for another's end
            if (!open.length || (document.hidden && all)) return;
            if (!(await this.channel.alive())) throw new Error(pc.t(pc.GONE));
            // The previews are not shown here: what says that all were seen asks for none.
            const jobs = Object.fromEntries(open.map((item) => [item.job, -1]));
            const told = (await this.channel.ask("replays", {jobs})).replays;
            for (const item of open) {
                const found = told.find((replay) => replay.job === item.job);
                this.tell(item, found || {state: "failed", error: pc.t("the webui was started anew")});
            }
        }

        tell(item, {job, state, verdict, reason, error, progress}) {
            Object.assign(item, {job: job || item.job, state, verdict});
            item.why.replaceChildren(pc.verbatim(reason || error || ""));
            if (verdict) item.place.replaceChildren(pc.verdictBadge(verdict, reason));
            else item.place.textContent = this.words(state, progress);
            this.sum();
        }

        words(state, progress) {
            if (state === "running") return `${Math.round(100 * progress)} %`;
            return {queued: pc.t("waits"), failed: pc.t("failed"), cancelled: pc.t("cancelled")}[state];
        }

        async stop() {
            this.stopped = true;
            this.stopper.disabled = true;
            const gone = {state: "cancelled", error: pc.t("it was cancelled while it waited")};
            for (const item of this.items) if (!item.state) this.tell(item, gone);
            // The last first: the one that runs would else make place for the next.
            const open = this.items.filter((item) => !ENDED.includes(item.state));
            for (const item of open.reverse()) await this.cancel(item);
        }

        async cancel(item) {
            if (ENDED.includes(item.state)) return;
            try {
                await this.channel.ask("cancel", {job: item.job});
            } catch (error) {
                pc.toast(pc.t("Not cancelled: {reason}", {reason: error.message}), {bad: true});
            }
        }

        /** How many ended, and how. */
        sum() {
            const ended = this.items.filter((item) => ENDED.includes(item.state));
            const counts = new Map();
            for (const item of ended) {
                const word = item.verdict ? pc.verdictWord(item.verdict) : this.words(item.state);
                counts.set(word, (counts.get(word) || 0) + 1);
            }
            const parts = [...counts].map(([word, number]) => `${number} ${word}`);
            const start = pc.t("{ended} of {all} done", {ended: ended.length, all: this.items.length});
            this.said.textContent = [start, ...parts].join(" · ");
            this.bar.value = ended.length;
            if (this.over) this.stopper.disabled = true;
        }

        closed() {
            this.thumbnails.observer.disconnect();
            const open = this.items.filter((item) => item.job && !ENDED.includes(item.state)).length;
            if (open) pc.toast(pc.t("Replays that go on: {count}; the list shows their verdicts.", {count: open}));
        }
    }

    /** Replay captures, one after the other, and tell how they fare in a dialog. */
    function prove(channel, ids) {
        return new Proofs(channel, ids).run();
    }

    Object.assign(pc, {prove});
})((window.payloadCapture = window.payloadCapture || {}));
