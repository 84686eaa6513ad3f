// The words of the date popovers and of sharing.

export default { en: {}, es: {} };
