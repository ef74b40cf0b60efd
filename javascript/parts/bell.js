// The bell: a question that Python answers when something happened, so that nobody has to ask
// again and again.
((pc) => {
    "use strict";

    const PATIENCE = 40000; // it answers after 20 s at the latest
    const PAUSE = 1000; // after a failure
    let waits = null; // the channel of all bells of this page
    let pending = null; // what waits at the bell: one question of this page, whoever listens

    /**
     * While `element` is seen: catches up with what is there, waits at the bell, tells what it
     * heard, and so on. `catchUp(anew)` resolves to what the bell is asked with; `anew` is true
     * when the element comes into sight. A page that is not seen asks nothing.
     */
    class Bell {
        constructor(element, channel, {catchUp, heard, lost}) {
            Object.assign(this, {element, catchUp, heard, lost, running: false, closed: false});
            waits = waits || new pc.Channel("bell");
            this.channels = [channel, waits];
            this.seen = false;
            this.look = () => this.looked();
            this.observer = new IntersectionObserver(this.look);
            this.observer.observe(element);
            document.addEventListener("visibilitychange", this.look);
        }

        close() {
            this.closed = true;
            this.observer.disconnect();
            document.removeEventListener("visibilitychange", this.look);
            clearTimeout(this.timer);
        }

        get shown() {
            return !this.closed && this.element.offsetParent !== null && !document.hidden;
        }

        looked() {
            const before = this.seen;
            this.seen = this.shown;
            if (!this.seen || before) return;
            if (this.running) this.catchUp(true).catch((error) => this.lost(error.message));
            else this.run();
        }

        async run() {
            this.running = true;
            let anew = true;
            while (this.shown) {
                try {
                    if (!(await this.reachable())) throw new Error(pc.GONE);
                    const since = await this.catchUp(anew);
                    anew = false;
                    const news = await this.wait(since);
                    if (!this.closed) this.heard(news);
                } catch (error) {
                    if (this.closed) break;
                    this.lost(error.message);
                    await new Promise((resolve) => (this.timer = setTimeout(resolve, PAUSE)));
                }
            }
            this.running = false;
            this.seen = this.shown;
        }

        /** What happened since, which a question that waits already will tell as well. */
        wait(since) {
            const free = () => (pending = null);
            if (!pending) pending = waits.ask("bell", since, PATIENCE).finally(free);
            return pending;
        }

        async reachable() {
            for (const channel of this.channels) if (!(await channel.alive())) return false;
            return true;
        }
    }

    Object.assign(pc, {Bell});
})((window.payloadCapture = window.payloadCapture || {}));
