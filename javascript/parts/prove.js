// A capture sent again, and whether the same pictures came.
((pc) => {
    "use strict";

    const POLL = 500; // between two looks at a replay that runs
    const RUNS = ["queued", "running"];

    const wait = (time) => new Promise((done) => setTimeout(done, time));

    /** Why nothing can be replayed here, as a sentence that says what to do. */
    function offSentence(reason) {
        return pc.t("Replay & verify is not available: {reason}. Write it into COMMANDLINE_ARGS in webui-user.sh "
            + "(on Windows webui-user.bat) and start the webui again.", {reason: pc.t(reason)});
    }

    /** The part of a capture's view that replays it. */
    class Proof {
        constructor(view, capture) {
            this.view = view;
            this.channel = view.channel;
            this.id = capture.id;
            this.blurred = capture.proof.blurred;
            this.job = null;
            this.focused = false; // whether the button has the focus that is about to go
            this.preview = 0;
            this.build(capture.proof.off);
            this.recall(capture.proof);
        }

        build(off) {
            this.starter = pc.button(pc.t("Replay & verify"), "", () => this.start(), "pc-replay");
            this.stopper = pc.button(pc.t("Cancel"), pc.t("Cancel the replay"), () => this.stop());
            const comparer = pc.button(pc.t("Compare with…"), "", () => pc.compare(this.channel, this.id, null));
            this.stopper.hidden = true;
            const actions = pc.make("div", {class: "pc-actions"}, this.starter, this.stopper, comparer);
            this.said = pc.make("div", {class: "pc-proof-said", role: "status"});
            this.bar = pc.make("progress", {max: 1, value: 0, "aria-label": pc.t("How far the replay is")});
            this.percent = pc.make("span", {class: "pc-note"});
            this.image = pc.make("img", {class: "pc-preview", alt: pc.t("The picture so far"), hidden: true});
            const line = pc.make("div", {class: "pc-progress"}, this.bar, this.percent);
            this.running = pc.make("div", {hidden: true}, line, this.image);
            this.pictures = pc.make("div", {class: "pc-pairs"});
            this.element = pc.make("section", {class: "pc-prove", "aria-label": pc.t("Replay & verify")},
                actions, this.said, this.running, this.pictures);
            if (!off) return;
            const sentence = pc.make("p", {class: "pc-note", id: `payload_capture_off_${this.channel.place}`}, offSentence(off));
            this.starter.disabled = true;
            this.starter.setAttribute("aria-describedby", sentence.id);
            actions.after(sentence);
        }

        /** Show what is known from before: the last replay, or the verdict that was kept. */
        recall({verdict, reason, replay}) {
            if (replay && (RUNS.includes(replay.state) || !verdict || replay.verdict === verdict)) this.tell(replay);
            else if (verdict) this.judge(verdict, reason, []);
        }

        async start() {
            this.focused = document.activeElement === this.starter;
            this.starter.disabled = true;
            try {
                const {replay} = await this.channel.ask("replay", {capture: this.id});
                if (this.element.isConnected) this.tell(replay); // else another capture is shown by now
            } catch (error) {
                this.starter.disabled = false;
                pc.toast(pc.t("Not replayed: {reason}", {reason: error.message}), {bad: true});
            }
        }

        async stop() {
            this.focused = document.activeElement === this.stopper;
            this.stopper.disabled = true;
            try {
                await this.channel.ask("cancel", {job: this.job});
            } catch (error) {
                this.stopper.disabled = false;
                pc.toast(pc.t("Not cancelled: {reason}", {reason: error.message}), {bad: true});
            }
        }

        tell(replay) {
            const runs = RUNS.includes(replay.state);
            if (document.activeElement === this.stopper) this.focused = true;
            this.running.hidden = !runs;
            this.stopper.hidden = !runs;
            if (!runs) return this.end(replay);
            if (this.job !== replay.job) this.begin(replay.job);
            if (this.state !== replay.state) this.say(replay.state === "queued" ? pc.t("It waits for its turn.") : pc.t("It runs."));
            this.state = replay.state;
            this.bar.value = replay.progress;
            this.percent.textContent = `${Math.round(100 * replay.progress)} %`;
            if (replay.preview && replay.preview.picture.startsWith("data:image/")) {
                this.preview = replay.preview.number;
                this.image.src = replay.preview.picture;
                this.image.hidden = false;
            }
        }

        begin(job) {
            this.job = job;
            this.view.held = true; // the replay is a capture too, which must not take this one's place
            this.state = null;
            this.preview = 0;
            this.image.hidden = true;
            this.starter.disabled = true;
            this.stopper.disabled = false;
            this.handOn(this.stopper);
            this.pictures.replaceChildren();
            this.watch();
        }

        /** Look how it fares, as long as this is on the page; what nobody sees asks nothing. */
        async watch() {
            const job = this.job;
            for (;;) {
                await wait(POLL);
                if (this.job !== job || !this.element.isConnected) return;
                if (this.element.offsetParent === null || document.hidden) continue;
                try {
                    if (!(await this.channel.alive())) throw new Error(pc.t(pc.GONE));
                    const [told] = (await this.channel.ask("replays", {jobs: {[job]: this.preview}})).replays;
                    if (!this.element.isConnected) return;
                    this.tell(told || {state: "failed", error: pc.t("the webui was started anew")});
                } catch (error) {
                    this.say(error.message, true);
                    this.state = null; // said again when it answers
                }
            }
        }

        end(replay) {
            this.job = null;
            this.starter.disabled = false;
            this.handOn(this.starter);
            if (replay.verdict) return this.judge(replay.verdict, replay.reason, replay.notes || [], replay);
            const cancelled = replay.state === "cancelled";
            const words = cancelled ? pc.t("The replay was cancelled: {reason}", {reason: replay.error})
                : pc.t("The replay failed: {reason}", {reason: replay.error});
            this.say(words, !cancelled);
        }

        /** Give the focus to `button`, where the one that went had it. */
        handOn(button) {
            if (this.focused && this.element.isConnected) button.focus({preventScroll: true});
            this.focused = false;
        }

        judge(verdict, reason, notes, replay = null) {
            const header = this.view.element.querySelector(".pc-header");
            if (header && replay) markHeader(header, verdict, reason);
            const seconds = replay && replay.seconds ? pc.t("It took {seconds} s.", {seconds: replay.seconds.toFixed(1)}) : "";
            const line = pc.make("p", {}, pc.verdictBadge(verdict, reason), pc.verdictSentence(verdict));
            const why = reason ? pc.make("p", {class: "pc-why", dir: "auto"}, reason) : null;
            const more = [...notes, seconds].filter(Boolean);
            const list = pc.make("ul", {class: "pc-note"}, ...more.map((note) => pc.make("li", {dir: "auto"}, note)));
            this.said.replaceChildren(...[line, why, more.length ? list : null].filter(Boolean));
            this.show(verdict, replay);
        }

        show(verdict, replay) {
            if (verdict === "refused") return this.pictures.replaceChildren();
            if (!replay || !replay.pictures) {
                const words = pc.t("The pictures of this replay are not kept any more: replay it again to see them.");
                return this.pictures.replaceChildren(pc.make("p", {class: "pc-note"}, words));
            }
            const names = [pc.t("Expected"), pc.t("Actual")];
            const telling = replay.pictures.findIndex((picture) => picture.verdict !== "identical");
            const pairs = replay.pictures.map((picture, index) => {
                const badge = picture.verdict ? pc.verdictBadge(picture.verdict, picture.why) : "";
                const words = [`${index + 1}. ${picture.words}`, picture.measure].filter(Boolean).join(" · ");
                const open = index === Math.max(telling, 0) && !this.blurred;
                return pc.pair(this.channel, picture, names, [badge, pc.make("span", {}, words)], open);
            });
            this.pictures.replaceChildren(...pairs);
        }

        say(text, bad = false) {
            this.said.replaceChildren(pc.make("p", {class: bad ? "pc-bad" : "pc-note", dir: "auto"}, text));
        }
    }

    /** The verdict's badge in the capture's header, where it may stand already. */
    function markHeader(header, verdict, reason) {
        const badge = pc.verdictBadge(verdict, reason);
        const before = header.querySelector(".pc-verdict");
        if (before) before.replaceWith(badge);
        else header.firstElementChild.after(badge);
    }

    /** The element of a capture's view that replays and compares it. */
    function proveSection(view, capture) {
        pc.looked(view.channel, capture.id);
        view.held = false;
        return new Proof(view, capture).element;
    }

    Object.assign(pc, {proveSection, offSentence});
})((window.payloadCapture = window.payloadCapture || {}));
