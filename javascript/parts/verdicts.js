// What came of a replay, in a word and in a sentence.
((pc) => {
    "use strict";

    const KINDS = {identical: "pc-good", close: "pc-fair", different: "pc-bad", refused: "pc-bad", unverified: ""};

    function verdictWord(verdict) {
        return {
            identical: pc.t("identical"),
            close: pc.t("close", {}, "almost the same picture"),
            different: pc.t("different"),
            refused: pc.t("refused"),
            unverified: pc.t("unverified"),
        }[verdict];
    }

    function verdictSentence(verdict) {
        return {
            identical: pc.t("The same picture came back."),
            close: pc.t("Almost the same picture came back."),
            different: pc.t("Another picture came back."),
            refused: pc.t("It was not sent."),
            unverified: pc.t("It was made, but there is nothing to compare it with."),
        }[verdict];
    }

    /** A badge with the word; who points at it reads the reason. */
    function verdictBadge(verdict, reason) {
        const properties = {class: `pc-badge pc-verdict ${KINDS[verdict]}`, title: reason || ""};
        return pc.make("span", properties, verdictWord(verdict));
    }

    Object.assign(pc, {verdictBadge, verdictWord, verdictSentence});
})((window.payloadCapture = window.payloadCapture || {}));
