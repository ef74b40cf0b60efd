// Elements of the page, and the words for sizes, numbers and times.
((pc) => {
    "use strict";

    /**
     * An element with properties (class, on*, attributes with a dash) and children; strings are text.
     * What has `dir: "auto"` holds data, which the webui must not translate.
     */
    function make(tag, properties, ...children) {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(properties || {})) {
            if (name === "class") element.className = value;
            else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
            else if (name.includes("-") || name === "role") element.setAttribute(name, value);
            else element[name] = value;
        }
        const data = (child) => element.dir === "auto" && typeof child === "string";
        const shown = children.filter((child) => child !== null && child !== "");
        element.append(...shown.map((child) => (data(child) ? pc.verbatim(child) : child)));
        return element;
    }

    function button(text, label, onclick, kind = "") {
        const properties = {type: "button", class: `pc-button ${kind}`, onclick};
        return make("button", label ? {...properties, "aria-label": label} : properties, text);
    }

    /** A button for what cannot be undone: it acts when it is pressed again within some seconds. */
    function sureButton(text, again, act) {
        let timer = null;
        const calm = () => {
            clearTimeout(timer);
            timer = null;
            pressed.textContent = text;
        };
        const pressed = button(text, "", () => {
            const sure = timer !== null;
            calm();
            if (sure) return act();
            pressed.textContent = again;
            timer = setTimeout(calm, 5000);
        }, "pc-danger");
        return pressed;
    }

    /** Show the panel of a row of gradio's tabs that an element is, or is in. */
    function openPanel(element) {
        const panel = element && element.closest(".tabitem");
        if (!panel) return;
        // gradio 3 gives the buttons no ids, and the webui translates their texts.
        const panels = [...panel.parentElement.children].filter((child) => child.matches(".tabitem"));
        const openers = panel.parentElement.querySelectorAll(":scope > .tab-nav > button");
        const opener = openers[panels.indexOf(panel)];
        if (opener && !opener.classList.contains("selected")) opener.click();
    }

    function size(bytes) {
        if (bytes < 1000) return pc.t("{count} bytes", {count: bytes});
        const [unit, name] = bytes < 1e6 ? [1e3, "KB"] : [1e6, "MB"];
        const amount = bytes / unit;
        return `${amount.toFixed(amount < 10 ? 1 : 0)} ${name}`;
    }

    /** So many of something, whose English plural ends with an s. */
    function count(number, noun) {
        return pc.t(`{count} ${noun}${number === 1 ? "" : "s"}`, {count: number.toLocaleString()});
    }

    function moment(started) {
        const date = new Date(started);
        if (Number.isNaN(date.getTime())) return make("span", {});
        const today = date.toDateString() === new Date().toDateString();
        const text = today ? date.toLocaleTimeString() : date.toLocaleString();
        return make("time", {dateTime: started, title: date.toLocaleString()}, text);
    }

    Object.assign(pc, {make, button, sureButton, openPanel, size, count, moment});
})((window.payloadCapture = window.payloadCapture || {}));
