"""Chroma, persistent, with the sentence-transformers embedding function."""

from protocol import main, model_folder


class Chroma:
    def load(self):
        import chromadb
        from chromadb.utils.embedding_functions import SentenceTransformerEmbeddingFunction

        self.chromadb = chromadb
        self.embed = SentenceTransformerEmbeddingFunction(
            model_name=model_folder(), device="cpu", normalize_embeddings=True
        )

    def _collection(self, folder):
        settings = self.chromadb.Settings(anonymized_telemetry=False)
        client = self.chromadb.PersistentClient(path=folder, settings=settings)
        return client.get_or_create_collection("texts", embedding_function=self.embed, metadata={"hnsw:space": "ip"})

    def build(self, texts, folder):
        collection = self._collection(folder)
        for start in range(0, len(texts), 5000):
            part = texts[start : start + 5000]
            collection.add(documents=part, ids=[str(start + place) for place in range(len(part))])

    def open(self, folder):
        self.collection = self._collection(folder)

    def search(self, question, k):
        return [int(name) for name in self.collection.query(query_texts=[question], n_results=k)["ids"][0]]


if __name__ == "__main__":
    main(Chroma())
