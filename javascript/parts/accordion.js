// The accordions "API payload" of txt2img and img2img.
((pc) => {
    "use strict";

    const LOOK = 1000; // between two looks whether what is shown is still what the page says

    /** What a tab's inputs hold, as a text that changes when Generate would send something else. */
    function inputs(tab) {
        const parts = document.querySelectorAll(`#${tab}_toprow, #${tab}_settings`);
        const fields = [...parts].flatMap((part) => [...part.querySelectorAll("input, textarea, select, img")]);
        const own = `#payload_capture_${tab}_accordion`; // gradio 3 has the channel's fields on the page
        return fields.filter((field) => !field.closest(own)).map(held).join("\n");
    }

    function held(field) {
        if (field.type === "checkbox" || field.type === "radio") return field.checked;
        if (field.tagName !== "IMG") return field.value;
        return `${field.src.length} ${field.src.slice(-60)}`; // it may be megabytes
    }

    /** Shows the payload of the job that this page's Generate button started last. */
    class Accordion {
        constructor(element, tab) {
            this.tab = tab;
            this.element = element;
            this.channel = new pc.Channel(tab);
            this.thumbnails = new pc.Thumbnails(this.channel);
            const previewer = () => this.previewer();
            this.view = new pc.CaptureView(element, this.channel, this.thumbnails, {brief: true, previewer});
            this.opening();
            this.shown = null;
            this.due = null;
            this.job = null; // the capture of the last job that was told
            this.timers = new Map();
            const see = (entries) => entries.some((entry) => entry.isIntersecting) && this.draw();
            this.observers = [new IntersectionObserver(see)];
            this.observers[0].observe(element);
            this.asked = null; // what the inputs held when it was asked what would be sent
            this.looker = setInterval(() => this.look(), LOOK);
            this.watch(`html_log_${tab}`, {childList: true, subtree: true, characterData: true}, [150]);
            this.watch(`${tab}_interrupt`, {attributes: true, attributeFilter: ["style"]}, [150, 1500]);
            const log = document.getElementById(`html_log_${tab}`);
            if (log && log.textContent.trim()) this.later(150); // a job ended before this script was ready
        }

        opening() {
            const words = pc.t("Generate: the payload of your job appears here by itself when it ends.");
            this.view.message(words, "", this.previewer());
        }

        /** A button that shows what Generate would send; null where the page cannot tell. */
        previewer() {
            if (!pc.hasForm(this.tab)) return null;
            const asker = pc.button(pc.t("What would be sent"), "", () => {
                asker.disabled = true;
                if (!this.view.preview) this.view.message(pc.t("Asking the webui…"));
                this.preview();
            });
            asker.title = pc.t("Show what Generate would send, without making a picture");
            return asker;
        }

        async preview() {
            this.asked = inputs(this.tab);
            try {
                const {capture, fails} = await pc.askForm(this.tab, "preview");
                if (fails) this.show({missing: pc.t("Generate would fail: {reason}", {reason: fails}), preview: true});
                else this.show({id: capture, preview: true});
            } catch (error) {
                this.lost(error.message);
            }
        }

        lost(words) {
            this.shown = null;
            this.view.message(words, "pc-bad", this.previewer());
        }

        /** Say so when the page holds something else than what would be sent says. */
        look() {
            const before = this.element.querySelector(".pc-changed");
            const shown = this.shown && this.view.preview && this.element.offsetParent !== null;
            const changed = shown && this.asked !== null && this.asked !== inputs(this.tab);
            if (before && !changed) before.remove();
            if (before || !changed) return;
            const words = pc.t("The page has changed since: press “What would be sent” again.");
            this.element.prepend(pc.make("p", {class: "pc-message pc-changed", role: "status"}, words));
        }

        /** Look for the job's result again, `delays` ms after an element of the webui changed. */
        watch(id, what, delays) {
            const element = document.getElementById(id);
            if (!element) return;
            const observer = new MutationObserver(() => delays.forEach((delay) => this.later(delay)));
            observer.observe(element, what);
            this.observers.push(observer);
        }

        close() {
            this.observers.forEach((observer) => observer.disconnect());
            this.timers.forEach((timer) => clearTimeout(timer));
            clearInterval(this.looker);
        }

        later(delay) {
            if (this.timers.has(delay)) return;
            this.timers.set(delay, setTimeout(() => {
                this.timers.delete(delay);
                this.ask();
            }, delay));
        }

        /** Ask which capture the page's result belongs to; a failed job has none. */
        async ask() {
            const info = pc.generated.get(this.tab);
            if (!info) {
                this.job = null;
                const log = document.getElementById(`html_log_${this.tab}`);
                const failed = log && log.querySelector(".error");
                if (failed) this.show({missing: pc.t("The last job failed. The Payloads tab shows why.")});
                return;
            }
            try {
                const told = await this.channel.ask("generation", {info});
                if (told.capture && told.capture === this.job) return; // what is shown since may be newer
                this.job = told.capture;
                if (told.capture) this.show({id: told.capture});
                else this.show({missing: pc.t(told.missing)});
            } catch (error) {
                this.job = null;
                this.lost(error.message);
            }
        }

        /** Show a capture, or say why there is none, as soon as the accordion is open. */
        show(due) {
            this.due = due;
            if (this.element.offsetParent !== null) this.draw();
        }

        draw() {
            const due = this.due;
            this.due = null;
            if (!due) return;
            if (!due.id) {
                this.shown = null;
                const opener = pc.button(pc.t("Open the Payloads tab"), "", pc.openTab);
                this.view.message(due.missing, "pc-bad", due.preview ? null : opener, this.previewer());
            } else if (due.id !== this.shown) {
                this.shown = due.id;
                this.unfold(due);
            }
        }

        /** Draw a capture; what would be sent, asked for again, stays unfolded where it was. */
        async unfold({id, preview}) {
            const before = preview && this.view.preview ? this.view.shownTree.unfolded : null;
            await this.view.show(id, preview);
            if (before) await this.view.shownTree.refold(before);
        }
    }

    Object.assign(pc, {Accordion});
})((window.payloadCapture = window.payloadCapture || {}));
