"""Raw sentence-transformers + FAISS: the script that most people write first."""

from protocol import main, model_folder


class Raw:
    def load(self):
        import faiss
        from sentence_transformers import SentenceTransformer

        self.faiss = faiss
        self.model = SentenceTransformer(model_folder(), device="cpu")
        self.model.max_seq_length = 256

    def build(self, texts, folder):
        vectors = self.model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        self.index = self.faiss.IndexFlatIP(vectors.shape[1])
        self.index.add(vectors)
        self.faiss.write_index(self.index, f"{folder}/index.faiss")

    def open(self, folder):
        self.index = self.faiss.read_index(f"{folder}/index.faiss")

    def search(self, question, k):
        vector = self.model.encode([question], normalize_embeddings=True, show_progress_bar=False)
        return self.index.search(vector, k)[1][0].tolist()


if __name__ == "__main__":
    main(Raw())
