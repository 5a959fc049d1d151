// needs: html.js
// The ensembles lab's pieces are HTML; its look is in ensembles.css.
