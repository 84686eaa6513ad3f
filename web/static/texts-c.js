// The words of what is kept and sent.

export default { en: {}, es: {} };
