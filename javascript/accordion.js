// The accordions "API payload" of txt2img and img2img.
((pc) => {
    "use strict";

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
            this.timers = new Set();
            const see = (entries) => entries.some((entry) => entry.isIntersecting) && this.draw();
            this.observers = [new IntersectionObserver(see)];
            this.observers[0].observe(element);
            this.watch(`html_log_${tab}`, {childList: true, subtree: true, characterData: true}, [150]);
            this.watch(`${tab}_interrupt`, {attributes: true, attributeFilter: ["style"]}, [150, 1500]);
            const log = document.getElementById(`html_log_${tab}`);
            if (log && log.textContent.trim()) this.later(150); // a job ended before this script was ready
        }

        opening() {
            const words = "Generate: the payload of your job appears here by itself when it ends.";
            this.view.message(words, "", this.previewer());
        }

        /** A button that shows what Generate would send; null where the page has none to press. */
        previewer() {
            const hidden = document.getElementById(`payload_capture_${this.tab}_preview`);
            if (!hidden) return null;
            const label = "Show what Generate would send, without making a picture";
            return pc.button("What would be sent", label, () => {
                this.view.message("Asking the webui…");
                hidden.click();
            });
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
        }

        later(delay) {
            if (this.timers.has(delay)) return;
            this.timers.add(delay);
            setTimeout(() => {
                this.timers.delete(delay);
                const again = document.getElementById(`payload_capture_${this.tab}_again`);
                if (again) again.click();
            }, delay);
        }

        /** Python found which capture the page's result belongs to. */
        job(text) {
            let told;
            try {
                told = JSON.parse(text);
            } catch (error) {
                return; // its event failed; the next one tells
            }
            const {id, preview, missing} = told;
            if (id) this.due = {id, preview};
            else if (told.failed) this.due = {id: null, failed: true};
            else if (missing) this.due = {id: null, missing, preview};
            else return;
            if (this.element.offsetParent !== null) this.draw();
        }

        draw() {
            const due = this.due;
            this.due = null;
            if (!due) return;
            if (due.id === null) {
                this.shown = null;
                const words = due.failed ? "The last job failed. The Payloads tab shows why." : due.missing;
                const opener = pc.button("Open Payloads", "Open the Payloads tab", pc.openTab);
                this.view.message(words, "pc-bad", due.preview ? null : opener, this.previewer());
            } else if (due.id !== this.shown) {
                this.shown = due.id;
                this.view.show(due.id, due.preview);
            }
        }
    }

    Object.assign(pc, {Accordion});
})((window.payloadCapture = window.payloadCapture || {}));
