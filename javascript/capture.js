// One capture, in the tab or in brief in an accordion.
((pc) => {
    "use strict";

    const LIGHT = 4 << 20; // bytes of a request that is fetched before somebody asks for it

    /** Draws a capture into `element`; the accordions draw its `brief` form. */
    class CaptureView {
        constructor(element, channel, thumbnails, {brief = false, disposers = null, previewer = null} = {}) {
            this.element = element;
            this.channel = channel;
            this.thumbnails = thumbnails;
            this.brief = brief;
            this.disposers = disposers;
            this.previewer = previewer;
            this.id = null;
            this.texts = new Map();
        }

        async show(id, preview = false) {
            this.id = id;
            this.preview = preview; // of what would be sent: nothing was generated
            this.texts.clear();
            let capture;
            try {
                ({capture} = await this.channel.ask("capture", {capture: id}));
            } catch (error) {
                if (this.id === id) this.message(error.message, "pc-bad");
                return;
            }
            if (this.id !== id) return; // another one was chosen meanwhile
            this.draw(capture);
            if (!capture.blocked && capture.weight <= LIGHT) this.text("payload").catch(() => {});
        }

        message(text, kind = "", ...more) {
            this.id = null;
            const said = pc.make("p", {class: `pc-message ${kind}`}, text);
            this.element.replaceChildren(said, ...more.filter(Boolean));
        }

        draw(capture) {
            const tree = new pc.Tree(this.channel, this.thumbnails, capture.id);
            const parts = [this.header(capture), this.actions(capture), this.trouble(capture)];
            if (!this.brief) parts.push(this.pictures(capture));
            parts.push(this.payload(capture, tree));
            if (!this.brief) parts.push(this.infotexts(capture), this.facts(capture));
            this.element.replaceChildren(...parts.filter(Boolean));
            if (!this.brief) this.element.scrollTop = 0;
        }

        header(capture) {
            const state = badges(capture);
            const ran = [`${capture.seconds.toFixed(1)} s`, `from ${SOURCES[capture.source]}`];
            const words = this.preview ? ["would be sent, nothing was generated"] : ran;
            if (capture.results.length) words.unshift(pc.count(capture.results.length, "picture"));
            const kind = pc.make("span", {class: "pc-kind"}, pc.kindOf(capture.endpoint));
            const when = pc.make("span", {class: "pc-note"}, pc.moment(capture.started), ` · ${words.join(" · ")}`);
            return pc.make("div", {class: "pc-header"}, kind, ...state, when);
        }

        actions(capture) {
            this.status = pc.make("span", {class: "pc-status", role: "status"});
            const name = capture.id;
            const sendable = [
                pc.button("Copy payload", "Copy the payload to the clipboard", () => this.copy("payload"), "pc-primary"),
                pc.button("Download payload", "Download the payload as JSON",
                    () => this.download("payload", `${name}-payload.json`)),
            ];
            if (capture.blocked) {
                sendable.forEach((item) => Object.assign(item, {disabled: true, title: capture.blocked}));
            }
            const whole = [
                pc.button("Copy capture", "Copy the whole capture to the clipboard", () => this.copy("document")),
                pc.button("Download capture", "Download the whole capture as JSON",
                    () => this.download("document", `${name}.json`)),
            ];
            const bar = pc.make("div", {class: "pc-actions"}, ...sendable);
            if (this.brief) {
                bar.append(pc.button("All captures", "Open the Payloads tab", openTab));
                bar.append(...[this.previewer()].filter(Boolean));
            } else bar.append(...whole, pc.sendButtons(this, capture), ...this.disposers(capture.id));
            bar.append(this.status);
            return bar;
        }

        trouble(capture) {
            const said = capture.warnings.map((warning) => {
                const place = warning.path ? pc.make("code", {dir: "auto"}, warning.path) : null;
                const words = [place, pc.make("span", {dir: "auto"}, warning.reason)].filter(Boolean);
                const means = pc.make("span", {class: "pc-note"}, MEANINGS[warning.severity]);
                return pc.make("li", {class: `pc-${warning.severity}`}, ...words, means);
            });
            if (capture.error) {
                const words = pc.make("span", {dir: "auto"}, capture.error);
                said.unshift(pc.make("li", {class: "pc-blocks"}, pc.make("b", {}, "The job failed: "), words));
            } else if (capture.state === "interrupted") {
                said.unshift(pc.make("li", {class: "pc-pixels"}, "The job was interrupted: sent again, it runs to its end."));
            }
            return said.length ? pc.make("ul", {class: "pc-warnings", "aria-label": "Warnings"}, ...said) : null;
        }

        pictures(capture) {
            const figures = capture.results.map((result, index) => {
                const measure = `${result.size[0]}×${result.size[1]}`;
                const seed = result.seed ? `seed ${result.seed}` : "";
                const words = [result.role === "sample" ? "" : result.role, measure, seed].filter(Boolean);
                const caption = words.join(" · ");
                const image = this.thumbnails.image(result.thumbnail, "", "pc-result");
                image.style.aspectRatio = result.size.join("/"); // so that nothing moves when it comes
                const open = () => pc.enlarge(this.channel, result.asset, caption);
                const label = `Open picture ${index + 1}, ${caption}`;
                const properties = {type: "button", class: "pc-picture", onclick: open, "aria-label": label};
                const shown = pc.make("button", {...properties, disabled: !result.asset}, image);
                return pc.make("figure", {}, shown, pc.make("figcaption", {}, caption));
            });
            return figures.length ? pc.make("div", {class: "pc-results"}, ...figures) : null;
        }

        payload(capture, tree) {
            const title = `POST ${capture.endpoint}`;
            const parts = [pc.make("summary", {}, "Payload ", pc.make("code", {}, title))];
            if (capture.payload.object.length) parts.push(tree.draw(capture.payload, "Payload"));
            else parts.push(pc.make("p", {class: "pc-note"}, "The payload is empty."));
            if (capture.template) {
                parts.push(pc.make("p", {class: "pc-note"}, "What was typed, where the job drew a value of its own:"));
                parts.push(tree.draw(capture.template, "What was typed"));
            }
            if (capture.resolved) {
                parts.push(pc.make("p", {class: "pc-note"}, "What styles, wildcards and scripts made of the prompts:"));
                parts.push(tree.draw(capture.resolved, "What the prompts became"));
            }
            return pc.make("details", {class: "pc-section", open: true}, ...parts);
        }

        infotexts(capture) {
            const texts = [...new Set(capture.results.map((result) => result.infotext).filter(Boolean))];
            if (!texts.length) return null;
            const blocks = texts.slice(0, 20).map((text) => pc.make("pre", {dir: "auto"}, text));
            const more = texts.length - blocks.length;
            if (more) blocks.push(pc.make("p", {class: "pc-note"}, `and ${more} more in the capture`));
            return pc.make("details", {class: "pc-section"}, pc.make("summary", {}, "Infotext"), ...blocks);
        }

        facts(capture) {
            const rows = capture.facts.flatMap(([label, value]) => [
                pc.make("dt", {}, label),
                pc.make("dd", {dir: "auto"}, value),
            ]);
            const list = pc.make("dl", {}, ...rows);
            return pc.make("details", {class: "pc-section"}, pc.make("summary", {}, "Made with"), list);
        }

        /** The payload's or the document's text, asked for once. */
        text(kind) {
            if (!this.texts.has(kind)) {
                const made = {value: null};
                const question = {capture: this.id};
                made.promise = this.channel.ask(kind, question, pc.PATIENCE_FOR_PICTURES).then((answer) => {
                    made.value = answer.text;
                    return answer.text;
                });
                made.promise.catch(() => this.texts.delete(kind));
                this.texts.set(kind, made);
            }
            return this.texts.get(kind).promise;
        }

        async copy(kind) {
            // Browsers allow copying for a short time after a press, so no waiting where none is needed.
            let text = (this.texts.get(kind) || {}).value;
            try {
                if (!text) {
                    this.say("Fetching…");
                    text = await this.text(kind);
                }
            } catch (error) {
                return this.say(`Not copied: ${error.message}`, true);
            }
            try {
                await pc.copy(text);
                this.say(`Copied, ${pc.size(text.length)}`);
            } catch (error) {
                this.say(`Not copied: ${error.message}. It is ready now: press again, or download it.`, true);
            }
        }

        async download(kind, name) {
            try {
                this.say("Fetching…");
                pc.save(new Blob([await this.text(kind)], {type: "application/json"}), name);
                this.say(`Saved as ${name}`);
            } catch (error) {
                this.say(`Not downloaded: ${error.message}`, true);
            }
        }

        say(text, bad = false) {
            this.status.textContent = text;
            this.status.classList.toggle("pc-bad", bad);
        }
    }

    const SOURCES = {ui: "the page", api: "the API", script: "a script"};
    const MEANINGS = {
        blocks: "cannot be sent again as it is",
        pixels: "may change the picture",
        cosmetic: "does not change the picture",
    };

    function badges(row) {
        const made = [];
        const add = (text, kind) => made.push(pc.make("span", {class: `pc-badge ${kind}`}, text));
        if (row.state === "failed") add("failed", "pc-bad");
        if (row.state === "interrupted") add("interrupted", "pc-fair");
        if (row.failure) add("not captured", "pc-bad");
        return made;
    }

    function openTab() {
        pc.openPanel(document.getElementById("tab_payload_capture"));
    }

    Object.assign(pc, {CaptureView, SOURCES, MEANINGS, badges, openTab});
})((window.payloadCapture = window.payloadCapture || {}));
