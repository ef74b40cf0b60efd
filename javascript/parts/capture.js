// One capture, in the tab or in brief in an accordion.
((pc) => {
    "use strict";

    /** Draws a capture into `element`; the accordions draw its `brief` form. */
    class CaptureView {
        constructor(element, channel, thumbnails, {brief = false, disposers = null, previewer = null} = {}) {
            this.element = element;
            this.channel = channel;
            this.thumbnails = thumbnails;
            this.brief = brief;
            this.disposers = disposers;
            this.previewer = previewer;
            this.taken = {format: "payload", minimal: false, beside: false}; // of the section to take along
            this.id = null;
            this.drawn = null; // the id of what is on the page, while `id` is on its way
            this.asked = null;
            this.copies = null;
            this.shownTree = null; // of the payload
        }

        async show(id, preview = false) {
            const asked = {}; // the same capture may be asked for twice
            this.id = id;
            this.asked = asked;
            this.preview = preview; // of what would be sent: nothing was generated
            let capture;
            try {
                ({capture} = await this.channel.ask("capture", {capture: id}));
            } catch (error) {
                if (this.asked === asked) this.message(error.message, "pc-bad", this.previewer && this.previewer());
                return;
            }
            if (this.asked !== asked) return; // another one was chosen meanwhile
            this.draw(capture);
            if (!capture.blocked && capture.light) this.text().catch(() => {}); // told when it is wanted
        }

        message(text, kind = "", ...more) {
            this.id = null;
            this.drawn = null;
            this.asked = null;
            const said = pc.make("p", {class: `pc-message ${kind}`}, text);
            this.element.replaceChildren(said, ...more.filter(Boolean));
        }

        draw(capture) {
            this.drawn = capture.id;
            this.copies = new pc.Copies((text, bad) => this.say(text, bad));
            const parts = [this.header(capture), this.actions(capture), this.trouble(capture)];
            if (!this.brief) {
                this.details = new pc.Details(this.channel, capture.id, capture.edited);
                parts.splice(1, 0, this.details.element);
                parts.push(new pc.Results(this, capture.results).draw(), new pc.Inputs(this, capture.inputs).draw(),
                    pc.proveSection(this, capture));
            }
            parts.push(this.payload(capture));
            if (!this.brief) {
                parts.push(new pc.Take(this, capture).draw(), this.infotexts(capture), this.facts(capture));
            }
            this.element.replaceChildren(...parts.filter(Boolean));
            if (!this.brief) this.element.scrollTop = 0;
        }

        header(capture) {
            const took = pc.t("{seconds} s", {seconds: capture.seconds.toFixed(1)});
            const ran = [took, pc.t("from {source}", {source: pc.t(SOURCES[capture.source])})];
            const words = this.preview ? [pc.t("would be sent, nothing was generated")] : ran;
            if (capture.results.length) words.unshift(pc.count(capture.results.length, "picture"));
            if (capture.hires) words.unshift(pc.t("hires. fix"));
            const kind = pc.make("span", {class: "pc-kind"}, pc.t(capture.kind));
            const when = pc.make("span", {class: "pc-note"}, pc.moment(capture.started), ` · ${words.join(" · ")}`);
            return pc.make("div", {class: "pc-header"}, kind, ...badges({...capture, ...capture.proof}), when);
        }

        actions(capture) {
            this.status = pc.make("span", {class: "pc-status", role: "status"});
            const sendable = [
                pc.button(pc.t("Copy payload"), "", () => this.copy(), "pc-primary"),
                pc.button(pc.t("Download payload"), "",
                    () => this.download(`${capture.id}-payload.json`)),
            ];
            if (capture.blocked) {
                sendable.forEach((item) => Object.assign(item, {disabled: true, title: capture.blocked}));
            }
            const bar = pc.make("div", {class: "pc-actions"}, ...sendable);
            if (this.brief) {
                bar.append(pc.button(pc.t("All captures"), "", openTab));
                bar.append(...[this.previewer()].filter(Boolean));
            } else bar.append(pc.sendButtons(this, capture), ...this.disposers(capture.id));
            bar.append(this.status);
            return bar;
        }

        copy() {
            return this.copies.copy("payload", () => this.ask());
        }

        trouble(capture) {
            const said = capture.warnings.map((warning) => {
                const [means, todo] = MEANINGS[warning.severity];
                const place = warning.path ? pc.make("code", {dir: "auto"}, warning.path) : null;
                const reason = pc.make("span", {dir: "auto"}, warning.reason);
                return pc.make("li", {class: `pc-${warning.severity}`}, pc.make("b", {}, pc.t(means)),
                    pc.make("div", {}, ...[place, reason].filter(Boolean)),
                    pc.make("div", {class: "pc-note"}, pc.t(todo)));
            });
            if (capture.error) {
                const words = pc.make("span", {dir: "auto"}, capture.error);
                said.unshift(pc.make("li", {class: "pc-blocks"}, pc.make("b", {}, pc.t("The job failed")), pc.make("div", {}, words)));
            } else if (capture.state === "interrupted") {
                const words = pc.t("The job was interrupted: sent again, it runs to its end.");
                said.unshift(pc.make("li", {class: "pc-pixels"}, words));
            }
            return said.length ? pc.make("ul", {class: "pc-warnings", "aria-label": pc.t("Warnings")}, ...said) : null;
        }

        payload(capture) {
            const draw = (root, label) => new pc.Tree(this.channel, this.thumbnails, capture.id, root).draw(capture[root], label);
            const parts = [pc.make("summary", {}, pc.t("Payload"), pc.make("code", {}, `POST ${capture.endpoint}`))];
            if (capture.payload.length) parts.push(...this.tree(capture));
            else parts.push(pc.make("p", {class: "pc-note"}, pc.t("The payload is empty.")));
            if (capture.template.length) {
                parts.push(pc.make("p", {class: "pc-note"}, pc.t("What was typed, where the job drew a value of its own:")));
                parts.push(draw("template", pc.t("What was typed")));
            }
            if (capture.resolved.length) {
                parts.push(pc.make("p", {class: "pc-note"}, pc.t("What styles, wildcards and scripts made of the prompts:")));
                parts.push(draw("resolved", pc.t("What the prompts became")));
            }
            return pc.make("details", {class: "pc-section", open: true}, ...parts);
        }

        tree(capture) {
            this.shownTree = new pc.Tree(this.channel, this.thumbnails, capture.id, "payload");
            const drawn = this.shownTree.draw(capture.payload, pc.t("Payload"));
            return this.brief ? [drawn] : [new pc.TreeSearch(this.shownTree).draw(), drawn];
        }

        infotexts(capture) {
            const {texts, more} = capture.infotexts;
            if (!texts.length) return null;
            const blocks = texts.map((one) => this.infotext(capture, one));
            if (more) blocks.push(pc.make("p", {class: "pc-note"}, pc.t("and {count} more in the capture", {count: more})));
            return pc.make("details", {class: "pc-section"}, pc.make("summary", {}, pc.t("Infotext")), ...blocks);
        }

        infotext(capture, {result, text, length}) {
            const cut = length > text.length;
            const status = pc.make("span", {class: "pc-status", role: "status"});
            const copies = new pc.Copies((words, bad) => {
                status.textContent = words;
                status.classList.toggle("pc-bad", bad);
            });
            const whole = async () => (await this.channel.ask("infotext", {capture: capture.id, result})).text;
            const copy = () => (cut ? copies.copy("whole", whole) : copies.copy("", () => text));
            const copier = pc.button(pc.t("Copy"), pc.t("Copy infotext"), copy, "pc-small");
            return pc.make("div", {class: "pc-infotext"}, pc.make("pre", {dir: "auto", tabIndex: 0}, cut ? `${text}…` : text),
                pc.make("div", {class: "pc-bar"}, copier, status));
        }

        facts(capture) {
            const rows = capture.facts.flatMap(([label, value]) => [
                pc.make("dt", {dir: "auto"}, pc.t(label)),
                pc.make("dd", {dir: "auto"}, value),
            ]);
            const list = pc.make("dl", {}, ...rows);
            return pc.make("details", {class: "pc-section"}, pc.make("summary", {}, pc.t("Made with")), list);
        }

        ask() {
            return askPayload(this.channel, this.drawn);
        }

        /** The payload's text, asked for once. */
        text() {
            return this.copies.text("payload", () => this.ask());
        }

        async download(name) {
            try {
                this.say(pc.t("Fetching…"));
                pc.save(new Blob([await this.text()], {type: "application/json"}), name);
                this.say(pc.t("Saved as {name}", {name}));
            } catch (error) {
                this.say(pc.t("Not downloaded: {reason}", {reason: error.message}), true);
            }
        }

        say(text, bad = false) {
            this.status.textContent = text;
            this.status.classList.toggle("pc-bad", bad);
        }
    }

    /** The payload of a capture as text, its pictures too. */
    async function askPayload(channel, id) {
        return (await channel.ask("payload", {capture: id}, pc.PATIENCE_FOR_PICTURES)).text;
    }

    /** Copies the payload of a capture that is chosen but not shown, and says so in a toast. */
    class UnseenCopy {
        constructor(channel, id) {
            let away = () => {};
            const say = (text, bad) => {
                away();
                away = pc.toast(text, {bad});
            };
            this.id = id;
            this.channel = channel;
            this.copies = new pc.Copies(say);
        }

        copy() {
            return this.copies.copy("payload", () => askPayload(this.channel, this.id));
        }
    }

    const SOURCES = {ui: "the page", api: "the API", script: "a script"};
    // What a warning means, and what to do about it.
    const MEANINGS = {
        blocks: ["It cannot be sent again as it is", "Put what is missing in by hand, or make the picture again: all else is complete."],
        pixels: ["It may change the picture", "Send it again and compare the pictures: often they are the same."],
        cosmetic: ["It changes nothing in the picture", "There is nothing to do."],
    };

    function badges(row) {
        const made = [];
        const add = (text, kind) => made.push(pc.make("span", {class: `pc-badge ${kind}`}, text));
        if (row.state === "failed") add(pc.t("failed"), "pc-bad");
        if (row.state === "interrupted") add(pc.t("interrupted"), "pc-fair");
        if (row.failure) add(pc.t("not captured"), "pc-bad");
        if (row.verdict) made.push(pc.verdictBadge(row.verdict, row.reason));
        return made;
    }

    function openTab() {
        pc.openPanel(document.getElementById("tab_payload_capture"));
    }

    Object.assign(pc, {CaptureView, UnseenCopy, SOURCES, badges, openTab});
})((window.payloadCapture = window.payloadCapture || {}));
